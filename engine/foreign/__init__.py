"""Engines of other people: shared libraries behind the interface of `lowlat_engine.h`, measured as ours is."""
