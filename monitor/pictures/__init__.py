"""Pictures of public pages: a program of its own that holds no data, no key and no config."""
