"""The matching engine, its order flow and its measured runs."""
