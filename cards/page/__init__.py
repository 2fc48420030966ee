"""Parts of an HTML page: sections, charts, heatmaps, images."""
