"""From files to marks: build a release, grade a submission, grade a class, write results."""

import sys

# jsonschema, which comes with nbformat, has this package compile a grammar of web addresses: a second in every process,
# for formats that no notebook uses.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
