"""Level-3 events as commands, in plain Python: slow and clear. The native walk must give the same commands, bursts,
auctions and counts (`tests/property/test_recorded_walk.py`).
"""
