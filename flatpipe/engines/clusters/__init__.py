"""Worker processes of this machine and of clusters: all that knows Dask's distributed scheduler."""
