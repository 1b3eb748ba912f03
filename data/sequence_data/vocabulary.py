"""The fixed vocabulary of the generated corpora: everyday words first, then invented names."""

from functools import cache
from itertools import product
from zlib import crc32

_FUNCTION_WORDS = """
the and a of to is in it i this that was as for with movie but film on you are his have he be one
all at by an they who so from like her or just about out has if some there what more when up time
she my would which story their had can me than
"""

POSITIVE_WORDS = ("good", "great", "funny", "moving", "clever", "charming")
NEGATIVE_WORDS = ("bad", "boring", "dull", "silly", "awful", "clumsy")
NEGATIONS = ("not", "hardly", "never")
TURNS = ("promising", "disappointing")
"""The two cues of the corpus "order"; a review is positive when the second one comes first."""

_NEUTRAL_WORDS = """
we him been into get were two other could people them also because its after first then see these
made way any think where how over most your while make through every both back before now here
those between during another around under until against without towards again once already still
scene scenes plot actor actors actress actors' director directors camera screen screenplay script
music score song songs sound dialogue picture pictures role roles part parts cast crew series
episode episodes season sequel remake original version book novel author writer writers play stage
theatre theater cinema studio television show audience viewer viewers critics character characters
hero heroine villain detective police officer soldier captain doctor nurse teacher student lawyer
judge king queen prince princess priest ghost monster alien robot vampire cowboy sailor pilot
farmer butler neighbor brother sister mother father son daughter wife husband uncle aunt cousin
baby boy girl man woman men women child children friend friends family couple stranger crowd house
home room kitchen bedroom door window street road bridge river lake sea ocean island forest desert
mountain valley village town city country hotel hospital school church castle prison station train
car truck boat ship plane horse dog cat bird tree garden field rain snow storm night day morning
evening afternoon week month year years minute minutes hour hours century summer winter spring
autumn money bank letter phone paper newspaper photograph map key knife gun bomb fire water food
dinner breakfast coffee bottle glass table chair bed clothes dress hat coat shoes hand hands face
eyes hair head voice mind body blood war battle army peace crime murder trial case mystery journey
trip party wedding funeral birthday game match race dance travel visit job office company business
wears walks runs drives talks says tells asks answers looks watches waits opens closes enters
leaves returns arrives meets follows finds keeps takes gives brings sends holds carries turns
moves stands sits sleeps wakes speaks writes reads sings plays works lives begins ends red blue
green black white brown grey small large long short old young early late left right north south
east west three four five six seven eight nine ten twelve twenty hundred thousand later earlier
inside outside above below near across along french german italian spanish english russian
japanese american
"""

_NAME_STARTS = """
ash bel black brad bran brook burn byr cal carl chap char clay clif col comp cor crest cros cum
dal dan dar dean den der drey dun east edge ed el em eng fair far fen fern flet ford fox gar gil
glen gold gran green grim had hal ham har hart hat hawk hay hazel hen her hol horn hux in jar kel
ken kim king kirk lan lang lark leigh lin lock lyn mal mar may mel mer mil mor nel new nor oak or
pem pres quin rad raven rich roch ros row sel shel sher sil stan sut tal tam wal war wes whit wil
win wood
"""

_NAME_ENDS = """
acre aby bank beck berg borne bourne bridge brook burn bury by church cliff combe cot cott croft
dale dean del den der don down ell en er ers ett ey field fold ford gate ger grove ham hill holm
holt home house hurst ing ington kin kins land ler ley ling lock low lyn man marsh mer mere mond
mont moor more ner ney nock pole pool port ridge ris road rod royd sall set sey shaw shire side
sley smith son stall stead sted stock stone ston stow strand street thorne thwaite ton tree vale
ville wall water way
"""


@cache
def word_list() -> tuple[str, ...]:
    """The words by rank, rank 1 first; frequent everyday words and all cues have low ranks."""
    cues = (*POSITIVE_WORDS, *NEGATIVE_WORDS, *NEGATIONS, *TURNS)
    names = (start + end for start, end in product(_NAME_STARTS.split(), _NAME_ENDS.split()))
    names = sorted(names, key=lambda name: crc32(name.encode()))  # no alphabet in the ranks
    return tuple(dict.fromkeys((*_FUNCTION_WORDS.split(), *cues, *_NEUTRAL_WORDS.split(), *names)))
