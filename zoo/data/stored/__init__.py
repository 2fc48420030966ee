"""Stored images: class folders, parquet files, and datasets on the Hub."""
