"""generate: a model continues a text, token by token, always with the one that it finds likeliest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from autograder.checking import (
    FLOAT32,
    Array,
    Broken,
    Exercise,
    Formula,
    Generator,
    Misconception,
    Probe,
    Property,
    Tolerance,
    Trial,
    agrees,
    distinct_sizes,
    holds,
    named,
    right_on,
)
from autograder.checking.compare import Value
from autograder.exercises.tiny_gpt.known_model import KnownModel, known_model

MARGIN = 0.05
"""How far the largest logit stands above the next at least: float32 can't change the choice."""


def generate(model: KnownModel, prompt: Array, steps: int) -> Array:
    """Returns the prompt (B, L) and `steps` more tokens, (B, L + steps), each the likeliest after those before it."""
    tokens = prompt
    for _ in range(steps):
        fed, last = _window(tokens, model.context)
        following = model(fed)[:, last].argmax(axis=-1)
        tokens = np.concatenate([tokens, following[:, None]], axis=1)
    return tokens


def _window(tokens: Array, context: int) -> tuple[Array, int]:
    """Returns the last tokens, padded with 0 on the right to (B, context), and where the last of them stands."""
    window = tokens[:, -context:]
    last = window.shape[1] - 1
    return np.pad(window, ((0, 0), (0, context - last - 1))), last


@dataclass(frozen=True)
class Continuation:
    """A prompt for a model of known answers; a case for `agrees`.

    Attributes:
        model: lives twice, here and beside the student's code.
        prompt: (B, L).
        steps: number of tokens to add.
        tensors: pass the prompt as a tensor of the Keras backend.
    """

    model: KnownModel
    prompt: Array
    steps: int
    tensors: bool = False

    def found(self, probe: Probe, symbol: str) -> Value:
        """See `Case`."""
        return probe.call(symbol, self.model.beside(probe), self.prompt, self.steps, tensors=self.tensors)

    def expected(self, formula: Callable[..., Value]) -> Value:
        """See `Case`."""
        return formula(self.model, self.prompt, self.steps)

    @property
    def arguments(self) -> tuple[tuple[Value, ...], dict[str, Value]]:
        """See `Case`."""
        return (self.model, self.prompt, self.steps), {}

    @property
    def tolerance(self) -> Tolerance:
        """See `Case`."""
        return FLOAT32


def _continuation(
    rng: Generator, *, context: int, length: int, steps: int, causal: bool = True, dropout: float = 0.0
) -> Continuation:
    """Returns a case whose every choice is clear, and whose text does not run in a rut."""
    B, V = 3, int(rng.integers(9, 13))
    while True:
        model = known_model(rng, context, V, causal=causal, dropout=dropout)
        prompt = rng.integers(1, V, (B, length)).astype(np.int32)
        text = generate(model, prompt, steps)
        if _margin(model, text, length) > MARGIN and _varied(text[:, length:]):
            return Continuation(model, prompt, steps)


def _margin(model: KnownModel, text: Array, length: int) -> float:
    """Returns by how much the likeliest token is ahead where it is least so."""
    margins = [np.inf]
    for end in range(length, text.shape[1]):
        fed, last = _window(text[:, :end], model.context)
        first, second = np.sort(model(fed)[:, last], axis=-1)[:, :-3:-1].T
        margins.append((first - second).min())
    return float(min(margins))


def _varied(added: Array) -> bool:
    """Tells whether every row holds three tokens or more, and no two rows are the same."""
    if added.shape[1] < 4:
        return True
    return min(len(set(row)) for row in added.tolist()) >= 3 and len({tuple(row) for row in added.tolist()}) == len(
        added
    )


def _short(rng: Generator) -> list[Continuation]:
    context, length = int(rng.integers(12, 15)), int(rng.integers(3, 6))
    # the last step of the first still leaves room; the second prompt is a single token
    return [
        _continuation(rng, context=context, length=length, steps=6),
        _continuation(rng, context=8, length=1, steps=5),
    ]


def _long(rng: Generator) -> list[Continuation]:
    context = int(rng.integers(5, 8))
    longer = context + int(rng.integers(2, 5))
    return [
        _continuation(rng, context=context, length=context, steps=6),
        _continuation(rng, context=context, length=longer, steps=5),
    ]


def _growing(rng: Generator) -> Continuation:
    context = int(rng.integers(5, 8))
    return _continuation(rng, context=context, length=context - 2, steps=7)


def _filled(rng: Generator) -> list[Continuation]:
    # this model looks ahead, so that it shows what stands after the text
    context = int(rng.integers(7, 10))
    return [_continuation(rng, context=context, length=length, steps=4, causal=False) for length in (2, context - 2)]


def _no_steps(rng: Generator) -> list[Continuation]:
    shorter, longer = distinct_sizes(rng, 2, 2, 5)[0], 9
    return [_continuation(rng, context=6, length=length, steps=0) for length in (shorter, longer)]


def _few(rng: Generator) -> Continuation:
    return _continuation(rng, context=6, length=4, steps=4)


def _other_integers(rng: Generator) -> Continuation:
    case = _few(rng)
    return replace(case, prompt=case.prompt.astype(np.int64))


def _with_dropout(rng: Generator) -> Continuation:
    return _continuation(rng, context=6, length=3, steps=5, dropout=0.6)


def _leaves_the_prompt_alone(trial: Trial) -> None:
    for length in (3, 8):
        case = _continuation(trial.rng, context=6, length=length, steps=3)
        if trial.probe.modifies(trial.exercise.symbol, case.model.beside(trial.probe), case.prompt, case.steps):
            raise Broken("After the call, the prompt that was passed in held other numbers.", "changes-its-prompt")


def _same_each_time(trial: Trial) -> None:
    case = _continuation(trial.rng, context=9, length=4, steps=8)
    first, second = (np.asarray(case.found(trial.probe, trial.exercise.symbol)) for _ in range(2))
    if first.shape != second.shape or not np.array_equal(first, second):
        raise Broken("Two calls with the same model and prompt gave different texts.", "draws-at-random")


Feed = Callable[[Array, int], tuple[Array, int]]
"""Tokens so far and context to what the model is fed and the position whose logits are read."""


def _with(feed: Feed = _window) -> Formula:
    """Returns the formula with another way to feed the model or to read it."""

    def wrong(model: KnownModel, prompt: Array, steps: int) -> Array:
        tokens = prompt
        for _ in range(steps):
            fed, position = feed(tokens, model.context)
            following = model(fed)[:, position].argmax(axis=-1)
            tokens = np.concatenate([tokens, following[:, None]], axis=1)
        return tokens

    return wrong


def _then(change: Callable[[Array, Array], Array]) -> Formula:
    """Returns the formula with something done to its result and the prompt."""
    return lambda model, prompt, steps: change(generate(model, prompt, steps), prompt)


def _moved(by: int) -> Feed:
    def feed(tokens: Array, context: int) -> tuple[Array, int]:
        fed, last = _window(tokens, context)
        return fed, last + by

    return feed


def _padded_left(tokens: Array, context: int) -> tuple[Array, int]:
    window = tokens[:, -context:]
    return np.pad(window, ((0, 0), (context - window.shape[1], 0))), context - 1


def _padded_with(number: int) -> Feed:
    def feed(tokens: Array, context: int) -> tuple[Array, int]:
        window = tokens[:, -context:]
        last = window.shape[1] - 1
        return np.pad(window, ((0, 0), (0, context - last - 1)), constant_values=number), last

    return feed


def _last_repeated(tokens: Array, context: int) -> tuple[Array, int]:
    window = tokens[:, -context:]
    last = window.shape[1] - 1
    return np.pad(window, ((0, 0), (0, context - last - 1)), mode="edge"), last


def _from_the_start(tokens: Array, context: int) -> tuple[Array, int]:
    return _window(tokens[:, :context], context)


def _one_token_short(tokens: Array, context: int) -> tuple[Array, int]:
    return _window(tokens[:, -(context - 1) :], context)


def _last_token_only(tokens: Array, context: int) -> tuple[Array, int]:
    return _window(tokens[:, -1:], context)


def _prompt_again_and_again(model: KnownModel, prompt: Array, steps: int) -> Array:
    following = generate(model, prompt, 1)[:, -1:]
    return np.concatenate([prompt, *[following] * steps], axis=1)


def _first_row_for_all(model: KnownModel, prompt: Array, steps: int) -> Array:
    tokens = prompt
    for _ in range(steps):
        fed, last = _window(tokens, model.context)
        following = np.broadcast_to(model(fed)[:1, last].argmax(axis=-1), (len(prompt),))
        tokens = np.concatenate([tokens, following[:, None]], axis=1)
    return tokens


def _least_likely(model: KnownModel, prompt: Array, steps: int) -> Array:
    return generate(replace(model, head=-model.head), prompt, steps)


def _stops_when_full(model: KnownModel, prompt: Array, steps: int) -> Array:
    return generate(model, prompt, max(0, min(steps, model.context - prompt.shape[1])))


def _one_step_more(model: KnownModel, prompt: Array, steps: int) -> Array:
    return generate(model, prompt, steps + 1)


def _steps_as_length(model: KnownModel, prompt: Array, steps: int) -> Array:
    return generate(model, prompt, max(0, steps - prompt.shape[1]))


_WINDOW = "window = tokens[:, -context:]"
_PAD = "np.pad(window, ((0, 0), (0, context - length)))"
_READ = "logits[:, length - 1]"
_CHOOSE = f"np.argmax({_READ}, axis=-1)"
_TOKENS = "tokens = np.array(ops.convert_to_numpy(prompt))"
_RETURN = "return tokens"
_CALL = "model(padded, training=False)"

GENERATE = Exercise(
    symbol="generate",
    formula=generate,
    checks=(
        agrees(
            "continues a prompt that is shorter than the context",
            _short,
            points=1.5,
            hint="Three rows, room left to the end; then prompts of a single token. The model knows at each position "
            "what stands before it, and nothing after.",
        ),
        agrees(
            "continues a prompt that fills the context, and a longer one",
            _long,
            points=1.5,
            hint="As long as the context, and two to four tokens longer.",
        ),
        agrees(
            "goes on when the context is full",
            _growing,
            points=1,
            hint="Begins two tokens below the context and ends five above it.",
        ),
        agrees(
            "fills the context with 0 on the right",
            _filled,
            points=1,
            hint="A model that looks ahead, so that it shows what stands after the text.",
        ),
        agrees("returns the prompt alone for 0 steps", _no_steps, cost=0.5, hint="Below and above the context."),
        named(
            agrees(
                "asks the model as it is used, not as it is trained",
                _with_dropout,
                cost=0.5,
                hint="A model with a dropout layer.",
            ),
            "asks-in-training-mode",
            right_on(_few),
        ),
        holds(
            "gives the same text each time",
            _same_each_time,
            cost=0.5,
            hint="Two calls.",
        ),
        holds(
            "leaves the prompt as it was",
            _leaves_the_prompt_alone,
            cost=0.5,
            hint="The array that went in, before and after the call.",
        ),
        agrees(
            "takes integers of any kind", _other_integers, cost=0.5, hint="A prompt of int64; the others are int32."
        ),
        named(
            agrees(
                "takes tensors",
                lambda rng: replace(_few(rng), tensors=True),
                cost=0.5,
                hint="A prompt that is a tensor of the Keras backend.",
            ),
            "numpy-only",
            right_on(_few),
        ),
    ),
    misconceptions=(
        Misconception(
            "reads-the-last-position",
            "You read the logits of the last position whatever stands there: while the context is not full, that is "
            "padding. See which position speaks of the next token in section 3.1.",
            wrong=_with(lambda tokens, context: (_window(tokens, context)[0], context - 1)),
            edit=((_READ, "logits[:, -1]"),),
        ),
        Misconception(
            "reads-one-position-too-far",
            "You read the logits one position after the last token. The logits at a position speak of the token that "
            "comes after it: see the table in section 3.1.",
            wrong=_with(_moved(1)),
            edit=((_READ, "logits[:, length]"),),
        ),
        Misconception(
            "reads-one-position-too-early",
            "You read the logits one position before the last token: they predict the last token, which is there "
            "already. See the table in section 3.1.",
            wrong=_with(_moved(-1)),
            edit=((_READ, "logits[:, length - 2]"),),
        ),
        Misconception(
            "pads-on-the-left",
            "You put the padding before the text, so that every token stands in another place than the one it was "
            "trained in. Section 3.1 says on which side it goes.",
            wrong=_with(_padded_left),
            edit=((_PAD, "np.pad(window, ((0, 0), (context - length, 0)))"), (_READ, "logits[:, -1]")),
        ),
        Misconception(
            "pads-with-another-number",
            "You fill the context with ones; section 3.1 says which number fills it. A model that only looks back "
            "does not care, but not every model does.",
            wrong=_with(_padded_with(1)),
            edit=((_PAD, "np.pad(window, ((0, 0), (0, context - length)), constant_values=1)"),),
        ),
        Misconception(
            "pads-with-the-last-token",
            "You fill the context by repeating the last token; section 3.1 says which number fills it. A model that "
            "only looks back does not care, but not every model does.",
            wrong=_with(_last_repeated),
            edit=((_PAD, 'np.pad(window, ((0, 0), (0, context - length)), mode="edge")'),),
        ),
        Misconception(
            "keeps-the-first-tokens",
            "Of a text longer than the context you feed the beginning, so that the same token comes out again and "
            "again. Section 3.1 says which end of the text is fed.",
            wrong=_with(_from_the_start),
            edit=((_WINDOW, "window = tokens[:, :context]"),),
        ),
        Misconception(
            "one-token-of-context-unused",
            "You feed at most context - 1 tokens: the oldest that would still fit is missing. See the minimum in "
            "section 3.1.",
            wrong=_with(_one_token_short),
            edit=((_WINDOW, "window = tokens[:, -(context - 1) :]"),),
        ),
        Misconception(
            "feeds-the-last-token-only",
            "You feed the model one token, as one does with a recurrent network or a cache of keys and values. This "
            "model remembers nothing between two calls: see section 3.1.",
            wrong=_with(_last_token_only),
            edit=((_WINDOW, "window = tokens[:, -1:]"),),
        ),
        Misconception(
            "does-not-read-its-own-tokens",
            "You ask the model about the prompt and never about what it has written itself: the same token is added "
            "at every step. See how the text grows in the table of section 3.1.",
            wrong=_prompt_again_and_again,
            edit=((_WINDOW, "window = tokens[:, : prompt.shape[1]][:, -context:]"),),
        ),
        Misconception(
            "first-row-for-all",
            "You take the first row's choice for all rows of the batch. Every row goes its own way: see the shapes in "
            "section 3.1.",
            wrong=_first_row_for_all,
            edit=((_CHOOSE, "np.full(len(tokens), np.argmax(logits[0, length - 1]))"),),
        ),
        Misconception(
            "least-likely",
            "You take the token with the smallest logit. See what a logit says in section 3.1.",
            wrong=_least_likely,
            edit=((_CHOOSE, f"np.argmin({_READ}, axis=-1)"),),
        ),
        Misconception(
            "draws-at-random",
            "You draw the next token from the probabilities, so that two calls give two texts. That makes livelier "
            "texts (section 4), but section 3.2 asks for the likeliest token.",
            edit=((_CHOOSE, f"ops.convert_to_numpy(keras.random.categorical({_READ}, 1))[:, 0]"),),
        ),
        Misconception(
            "without-the-prompt",
            "You return the new tokens alone; section 3.2 wants the prompt before them.",
            wrong=_then(lambda text, prompt: text[:, prompt.shape[1] :]),
            edit=((_RETURN, "return tokens[:, prompt.shape[1] :]"),),
        ),
        Misconception(
            "cut-to-the-context",
            "You return the last tokens that fit into the context, so that a long prompt loses its beginning. Only "
            "what is fed is cut: see section 3.2.",
            wrong=lambda model, prompt, steps: generate(model, prompt, steps)[:, -model.context :],
            edit=((_RETURN, "return tokens[:, -context:]"),),
        ),
        Misconception(
            "stops-when-the-context-is-full",
            "You stop when the context is full; the text may grow beyond what the model sees at once. See section 3.1.",
            wrong=_stops_when_full,
            edit=(("for _ in range(steps):", "for _ in range(min(steps, context - tokens.shape[1])):"),),
        ),
        Misconception(
            "one-step-too-many",
            "You add one token more than asked for. Count the steps of section 3.2.",
            wrong=_one_step_more,
            edit=(("for _ in range(steps):", "for _ in range(steps + 1):"),),
        ),
        Misconception(
            "steps-as-the-final-length",
            "You take `steps` for the length of the whole text; it is the number of tokens to add. See section 3.2.",
            wrong=_steps_as_length,
            edit=(("for _ in range(steps):", "for _ in range(steps - tokens.shape[1]):"),),
        ),
        Misconception(
            "floats-for-tokens",
            "Your tokens come back as floats: an array made without a dtype holds floats, and so does whatever is "
            "joined with it. Section 3.2 asks for integers.",
            wrong=_then(lambda text, prompt: text.astype(np.float64)),
            edit=((_RETURN, 'return tokens.astype("float64")'),),
        ),
        Misconception(
            "asks-in-training-mode",
            "You call the model with training=True: its dropout is on, and it answers something else each time. See "
            "section 3.2.",
            edit=((_CALL, "model(padded, training=True)"),),
        ),
        Misconception(
            "changes-its-prompt",
            "You write into the prompt, so that the caller's own array holds other tokens after the call. Make a new "
            "array instead: see section 3.2.",
            edit=(
                (
                    _TOKENS,
                    "tokens = prompt if isinstance(prompt, np.ndarray) else np.array(ops.convert_to_numpy(prompt))",
                ),
                (_RETURN, "prompt[...] = tokens[:, -prompt.shape[1] :]\n    return tokens"),
            ),
        ),
        Misconception(
            "numpy-only",
            "You are right on NumPy arrays but not on tensors: a method such as .copy() or .astype() exists for NumPy "
            "only. Section 3.2 says what a prompt may be.",
            edit=((_TOKENS, "tokens = prompt.copy()"),),
        ),
    ),
    properties=(
        Property(
            "the text begins with the prompt",
            lambda found, model, prompt, steps: np.array_equal(found[:, : prompt.shape[1]], prompt),
        ),
    ),
    deadline=120.0,  # a student may ask with model.predict, which takes 50 ms and more
)
