"""Work on more than one host: a measurement once on each, and long work in parts, on a Dask cluster."""
