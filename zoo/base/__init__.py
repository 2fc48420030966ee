"""Files, folders, devices and versions: what everything else uses."""
