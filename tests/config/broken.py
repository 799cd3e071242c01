"""The table of broken configs, and what is said about them; run as a script it writes the messages anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flatpipe.config import parse_config
from flatpipe.errors import ConfigError

TABLE = Path(__file__).with_name("broken_configs.txt")


@dataclass(frozen=True)
class Broken:
    """One config, the argument that goes with it, and the whole message expected."""

    name: str
    argument: str
    # ^ "", "-s KEY=VALUE" or "--profile NAME"
    text: str
    expected: str

    def message(self) -> str:
        """What flatpipe says about it; "" when it finds nothing wrong."""
        flag, _, value = self.argument.partition(" ")
        overrides = [value] if flag == "-s" else []
        profile = value if flag == "--profile" else None
        try:
            parse_config(self.text, "pipeline.yaml", "/base", overrides, profile)
        except ConfigError as error:
            return str(error)
        return ""


def table() -> list[Broken]:
    """All cases: `=== name`, `$ argument` where there is one, the config, `>>>`, the message."""
    return [_case(block) for block in TABLE.read_text(encoding="utf-8").split("=== ")[1:]]


def _case(block: str) -> Broken:
    name, _, rest = block.partition("\n")
    text, _, expected = rest.partition(">>>\n")
    argument = ""
    if text.startswith("$ "):
        argument, _, text = text.removeprefix("$ ").partition("\n")
    return Broken(name, argument, text, expected.removesuffix("\n"))


def rewrite() -> None:
    """Write the table with the messages of today; read the difference before it is kept."""
    blocks = []
    for case in table():
        argument = f"$ {case.argument}\n" if case.argument else ""
        blocks.append(f"=== {case.name}\n{argument}{case.text}>>>\n{case.message()}\n")
    TABLE.write_text("".join(blocks), encoding="utf-8")


if __name__ == "__main__":
    rewrite()
