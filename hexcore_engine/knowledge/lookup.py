"""The light façade over the knowledge files: all that the terminal app may import of this room.

Opens the files read-only, looks at the pointer before each query and reopens when it moved. No networkx,
numpy or torch behind it. Not safe to share between threads: one `Knowledge` a thread.
"""
