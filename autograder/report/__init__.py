"""Pages and texts for people: a report in a notebook cell, an overview of a class, a table in a terminal."""
