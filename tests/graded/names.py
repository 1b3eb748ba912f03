"""Names that attack whoever reads them: a spreadsheet, a parser, a page, a terminal, a CI runner."""

FORMULAS = ("=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "＝1+1", "a;=1+1", 'a;"=1+1')
MARKUP = (
    "<img src=x onerror=alert(1)>",
    "]]></testsuite><!-- &lt;",
    "a | b \\| `c` **d** [e](javascript:alert(1)) ![f](http://example.org/x.png) https://example.org @octocat #1",
    "\"quoted\", 'name'",
)
COMMANDS = ("::error::x ##[error]y", "\x1b[2J\x00\u202ename\n::set-output name=score::99")
NAMES = (*FORMULAS, *MARKUP, *COMMANDS, "Points Possible")
