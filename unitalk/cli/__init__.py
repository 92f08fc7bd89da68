"""How it looks: one thin file a verb. A file parses, calls the library once, renders, exits."""
