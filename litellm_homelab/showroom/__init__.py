"""Is this name a handle that this caller may use, on this route, and is its model really there?"""
