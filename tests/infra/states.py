# SPDX-License-Identifier: Apache-2.0
"""Plays a state machine: as much of the Amazon States Language (JSONPath) as the anchor's rounds are written in.

What it does not know it refuses, so that a definition cannot mean more than was played. Source: states-language.net.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]

#: What Step Functions takes from one state to the next, and from a Map's children together.
MOST_BYTES = 256 * 1024
_KNOWN = {
    "Task": {"Resource", "TimeoutSeconds", "Retry", "Catch", "Parameters", "ResultPath", "Next"},
    "Choice": {"Choices", "Default"},
    "Pass": {"InputPath", "Parameters", "ResultPath", "Next", "End"},
    "Map": {
        "Label",
        "ItemsPath",
        "ItemSelector",
        "MaxConcurrency",
        "ItemProcessor",
        "ToleratedFailurePercentage",
        "ResultPath",
        "Catch",
        "Next",
    },
}


class StatesError(Exception):
    """An error by its name, as a Catch knows it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class ChildEnded(Exception):
    """A child execution that ends without an answer, past any Catch of its own: its five minutes are over."""


class Machine:
    """Runs with Python functions in the place of Lambda's, by the ARN under which they are called."""

    def __init__(self, definition: Json, functions: Mapping[str, Callable[[Json], Any]]) -> None:
        self._definition = definition
        self._functions = functions
        self.visited: list[str] = []
        #: The size of every state that was passed on.
        self.bytes: list[int] = []

    def run(self, given: Json) -> Any:
        """The output. Raises StatesError where nobody catches it."""
        return self._play(self._definition, given, {})

    def _play(self, machine: Json, given: Any, context: Json) -> Any:
        name, value = machine["StartAt"], copy.deepcopy(given)
        while name:
            state = machine["States"][name]
            unknown = set(state) - _KNOWN[state["Type"]] - {"Type"}
            assert not unknown, f"{name}: {unknown}"
            self.visited.append(name)
            try:
                value, name = self._step(state, value, context)
                self.bytes.append(len(json.dumps(value, separators=(",", ":"))))
                if self.bytes[-1] > MOST_BYTES:
                    raise StatesError("States.DataLimitExceeded")
            except StatesError as error:
                if "Catch" not in state:
                    raise
                (catch,) = state["Catch"]
                assert catch["ErrorEquals"] == ["States.ALL"]
                value = _put(catch["ResultPath"], value, {"Error": error.name, "Cause": "…"})
                name = catch["Next"]
        return value

    def _step(self, state: Json, value: Any, context: Json) -> tuple[Any, str | None]:
        match state["Type"]:
            case "Task":
                asked = _made(state["Parameters"], value, context) if "Parameters" in state else value
                answer = json.loads(json.dumps(self._functions[state["Resource"]](json.loads(json.dumps(asked)))))
                return _put(state.get("ResultPath", "$"), value, answer), state["Next"]
            case "Choice":
                for rule in state["Choices"]:
                    assert set(rule) == {"Variable", "IsPresent", "Next"}
                    if (_at(rule["Variable"], value) is not None) == rule["IsPresent"]:
                        return value, rule["Next"]
                return value, state["Default"]
            case "Pass":
                result = _at(state.get("InputPath", "$"), value)
                if "Parameters" in state:
                    result = _made(state["Parameters"], result, context)
                assert ("Next" in state) != state.get("End", False)
                return _put(state.get("ResultPath", "$"), value, result), state.get("Next")
        return self._map(state, value), state["Next"]

    def _map(self, state: Json, value: Any) -> Any:
        answers: list[Any] = []
        for index, item in enumerate(_at(state["ItemsPath"], value)):
            context = {"Map": {"Item": {"Index": index, "Value": item}}}
            try:
                given = _made(state["ItemSelector"], value, context)
                answers.append(self._play(state["ItemProcessor"], given, context))
            except (StatesError, ChildEnded):
                assert state["ToleratedFailurePercentage"] == 100
        if len(json.dumps(answers, separators=(",", ":"))) > MOST_BYTES:
            raise StatesError("States.DataLimitExceeded")
        return _put(state["ResultPath"], value, answers)


def _at(path: str, value: Any) -> Any:
    for part in path.replace("[0]", ".0").split(".")[1:]:
        value = (value[0] if value else None) if part == "0" else value.get(part)
    return value


def _put(path: str, value: Any, result: Any) -> Any:
    if path == "$":
        return result
    changed = copy.deepcopy(value)
    *above, last = path.split(".")[1:]
    inner = changed
    for part in above:
        inner = inner[part]
    inner[last] = result
    return changed


def _made(template: Json, value: Any, context: Json) -> Json:
    made: Json = {}
    for name, content in template.items():
        if name.endswith(".$"):
            path = content
            made[name[:-2]] = _at(path[1:], context) if path.startswith("$$") else _at(path, value)
        else:
            made[name] = content
    return made
