"""A demonstration city: eight departments whose approval systems can be read over a wire, as offices' systems are.

Nothing here imports the platform under demonstration; the two only meet at a URL, a database and a folder.
"""
