"""Text that students had a hand in, as terminals, logs and files of text may show it."""


def shown(text: str) -> str:
    """Returns a text in one printable line that commands neither a terminal nor a CI runner."""
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return plain.replace("::", ": :").replace("##[", "## [")
