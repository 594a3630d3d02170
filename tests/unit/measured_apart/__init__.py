"""Measurements that go wrong, for the tests of how each runs in a process of its own."""
