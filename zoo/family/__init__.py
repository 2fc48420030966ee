"""The architectures: width and depth variants, and timm's models. Values need no torch."""
