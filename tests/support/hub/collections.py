"""Responses of the local Hub about collections; a mixin of the request handler, like `tests.support.hub.api`."""

import json
import re
from hashlib import sha1

from tests.support.hub.store import Collection, RefusalError, item_id


class CollectionApi:
    def _collection(self, slug, write=False):
        found = self.hub.collections.get(slug)
        if found is None or (found.private and not self._belongs(found.owner)):
            raise RefusalError(404, message="Collection not found")
        if write and not self._needs_user().may_write(found.owner):
            raise RefusalError(403, message="not your collection")
        return found

    def list_collections(self):
        owners, items = self.query.get("owner", []), self.query.get("item", [])
        shown = [
            found.to_json()
            for found in self.hub.collections.values()
            if (not owners or found.owner in owners)
            and (not items or {f"models/{item}" for item in found.items} & set(items))
            and (not found.private or self._belongs(found.owner))
        ]
        for found in shown:
            # The client counts items itself, and a list holds the first four items of each collection.
            del found["position"], found["items"][4:]
        self._json(shown[: int(self._asked("limit", "100"))])

    def make_collection(self):
        asked, user = json.loads(self.body), self._needs_user()
        if not user.may_write(asked["namespace"]):
            raise RefusalError(403, message="not your namespace")
        name = re.sub(r"\W+", "-", asked["title"].lower())
        slug = f"{asked['namespace']}/{name}-{sha1(asked['title'].encode()).hexdigest()[:24]}"
        if slug in self.hub.collections:
            raise RefusalError(409, message="exists", body={"slug": slug, "error": "exists"})
        facts = asked["title"], asked["namespace"], asked.get("private", False), asked.get("description")
        self.hub.collections[slug] = Collection(slug, *facts)
        self._json(self.hub.collections[slug].to_json())

    def collection(self, slug):
        self._json(self._collection(slug).to_json())

    def change_collection(self, slug):
        found, asked = self._collection(slug, write=True), json.loads(self.body)
        for name in {"title", "description", "private"} & asked.keys():
            setattr(found, name, asked[name])
        self._json({"data": found.to_json()})

    def delete_collection(self, slug):
        self._collection(slug, write=True)
        del self.hub.collections[slug]
        self._json({})

    def add_item(self, slug):
        found, asked = self._collection(slug, write=True), json.loads(self.body)["item"]
        self._repo(asked["id"], f"{asked['type']}s")
        if asked["id"] in found.items:
            raise RefusalError(409, message="already there")
        found.items.append(asked["id"])
        self._json(found.to_json())

    def delete_item(self, slug, item):
        found = self._collection(slug, write=True)
        if item not in map(item_id, found.items):
            raise RefusalError(404, message="no such item")
        found.items = [held for held in found.items if item_id(held) != item]
        self._json({})
