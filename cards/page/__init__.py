"""Parts of a page: sections, tables, charts, maps, images."""
