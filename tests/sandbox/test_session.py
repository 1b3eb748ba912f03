"""A submission's kernel: cells run, questions are answered, and every kind of end is told apart."""

import numpy as np
import pytest

from autograder.sandbox.session import Ended, Session


@pytest.fixture
def session(interpreter):
    with Session(interpreter) as session:
        yield session


def _call(symbol: str, *args: np.ndarray):
    return {"op": "call", "symbol": symbol, "args": list(args), "kwargs": {}, "tensors": False}


def test_a_cell_runs_and_its_output_is_kept(session: Session):
    assert session.run("print('hello')\n1 + 1", 20).text == "hello\n2\n"


def test_an_exception_is_told(session: Session):
    assert session.run("1 / 0", 20).error == ("ZeroDivisionError", "division by zero")


def test_a_function_is_called_on_arrays(session: Session):
    session.run("def double(x):\n    return x * 2", 20)
    answer = session.ask(_call("double", np.arange(3.0)), 20)
    assert np.array_equal(answer["value"], [0.0, 2.0, 4.0])


def test_a_keras_tensor_comes_back_as_an_array(session: Session):
    session.run("import keras\ndef double(x):\n    return keras.ops.multiply(x, 2)", 20)
    answer = session.ask(_call("double", np.arange(3, dtype=np.float32)), 20)
    assert answer["value"].dtype == np.float32


def test_what_the_code_raises_is_an_answer(session: Session):
    session.run("def bad(x):\n    raise SystemExit('no')", 20)
    assert session.ask(_call("bad", np.zeros(1)), 20)["error"]["kind"] == "SystemExit"


def test_a_result_that_is_no_number_is_an_error(session: Session):
    session.run("def odd(x):\n    return {1: object()}", 20)
    assert "error" in session.ask(_call("odd", np.zeros(1)), 20)


def test_an_endless_loop_ends_in_time(session: Session):
    with pytest.raises(Ended) as ended:
        session.run("while True:\n    pass", 1)
    assert ended.value.status == "timeout"


def test_a_loop_that_ignores_interrupts_ends_in_time(session: Session):
    code = "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"
    with pytest.raises(Ended):
        session.run(code, 1)


@pytest.mark.parametrize("code", ["import os; os._exit(0)", "import os; os._exit(7)", "import os; os.abort()"])
def test_a_process_that_ends_itself_is_a_crash(session: Session, code: str):
    with pytest.raises(Ended) as ended:
        session.run(code, 20)
    assert ended.value.status == "crashed"


def test_a_flood_of_output_is_cut(session: Session):
    output = session.run("for _ in range(3000):\n    print('x' * 1000)", 60)
    assert output.cut
    assert len(output.text) == output.limit


def test_html_and_scripts_are_not_kept(session: Session):
    output = session.run("from IPython.display import display, HTML\ndisplay(HTML('<script>1</script>'))", 20)
    assert output.text == ""
    assert output.pictures == []


def test_a_picture_that_is_none_is_not_kept(session: Session):
    code = "from IPython.display import display\ndisplay({'image/png': '\\\" onerror=alert(1)'}, raw=True)"
    assert session.run(code, 20).pictures == []


def test_a_figure_is_kept(session: Session):
    output = session.run("import matplotlib.pyplot as plt\nplt.plot([1, 2]);\nplt.show()", 60)
    assert len(output.pictures) == 1


def test_two_kernels_know_nothing_of_each_other(interpreter):
    with Session(interpreter) as one, Session(interpreter) as other:
        one.run("secret = 1", 20)
        assert other.run("secret", 20).error is not None


def test_the_working_folder_is_empty(session: Session):
    assert session.run("import os; os.listdir('.')", 20).text == "[]\n"


def test_the_graders_environment_is_not_passed_on(session: Session, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AUTOGRADER_SEED", "secret")
    assert session.run("import os; 'AUTOGRADER_SEED' in os.environ", 20).text == "False\n"
