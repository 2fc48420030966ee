"""Model folders: configuration, weights, model card, snapshots, and preprocessing."""
