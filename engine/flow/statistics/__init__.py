"""Statistics of an order flow: what its commands are, and what they meet in the book."""
