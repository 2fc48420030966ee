"""Model folders: configuration, weights, card, snapshots, preprocessing."""
