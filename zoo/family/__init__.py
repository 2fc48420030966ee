"""Architectures: depth and width variants of two families, and timm models."""
