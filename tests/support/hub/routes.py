"""The routes of the local Hub."""

_NAME = r"(?P<repo_id>[^/]+(/[^/]+)?)"
_REPO = r"(?P<repo_id>[^/]+/[^/]+)"
_API = rf"/api/(?P<kind>models|datasets|spaces)/{_REPO}"
_SLUG = r"(?P<slug>[^/]+/[^/]+)"
ROUTES = (
    ("GET", r"/api/whoami-v2", "whoami"),
    ("POST", r"/api/repos/create", "create_repo"),
    ("DELETE", r"/api/repos/delete", "delete_repo"),
    ("POST", r"/api/validate-yaml", "validate_yaml"),
    ("GET", r"/api/(?P<kind>models|datasets|spaces)", "list_repos"),
    # The client also requests names without an owner; there are none here.
    ("GET", rf"/api/(?P<kind>models|datasets|spaces)/{_NAME}/revision/(?P<revision>[^/]+)", "info"),
    ("GET", rf"/api/(?P<kind>models|datasets|spaces)/{_NAME}", "info"),
    ("PUT", _API + r"/settings", "settings"),
    ("GET", _API + r"/tree/(?P<revision>[^/]+)(/(?P<folder>.+))?", "tree"),
    ("POST", _API + r"/paths-info/(?P<revision>[^/]+)", "paths_info"),
    ("GET", _API + r"/refs", "refs"),
    ("GET", _API + r"/commits/(?P<revision>[^/]+)", "commits"),
    ("POST DELETE", _API + r"/tag/(?P<name>[^/]+)", "tag"),
    ("POST DELETE", _API + r"/branch/(?P<name>[^/]+)", "branch"),
    ("POST", _API + r"/preupload/(?P<revision>[^/]+)", "preupload"),
    ("POST", _API + r"/commit/(?P<revision>[^/]+)", "commit"),
    ("GET", _API + r"/discussions", "list_discussions"),
    ("POST", _API + r"/discussions", "make_discussion"),
    ("GET", _API + r"/discussions/(?P<number>\d+)", "discussion"),
    ("POST", _API + r"/discussions/(?P<number>\d+)/comment/(?P<comment>[0-9a-f]+)/edit", "edit_comment"),
    ("POST", rf"/(?P<prefix>(datasets|spaces)/)?{_REPO}\.git/info/lfs/objects/batch", "lfs_batch"),
    ("PUT", r"/lfs/(?P<oid>[0-9a-f]+)(/(?P<part>\d+))?", "lfs_put"),
    ("POST", r"/lfs/(?P<oid>[0-9a-f]+)/join", "lfs_join"),
    ("POST", r"/lfs-verify", "lfs_verify"),
    ("GET HEAD", r"/lfs/(?P<oid>[0-9a-f]+)/(?P<path>.+)", "lfs_get"),
    ("GET", r"/api/collections", "list_collections"),
    ("POST", r"/api/collections", "make_collection"),
    ("GET", rf"/api/collections/{_SLUG}", "collection"),
    ("PATCH", rf"/api/collections/{_SLUG}", "change_collection"),
    ("DELETE", rf"/api/collections/{_SLUG}", "delete_collection"),
    ("POST", rf"/api/collections/{_SLUG}/items", "add_item"),
    ("DELETE", rf"/api/collections/{_SLUG}/items/(?P<item>[^/]+)", "delete_item"),
    ("GET HEAD", rf"/(?P<prefix>(datasets|spaces)/)?{_NAME}/resolve/(?P<revision>[^/]+)/(?P<path>.+)", "resolve"),
)
