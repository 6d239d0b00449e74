"""A report as one HTML page that needs nothing else: figures inside, no script, no address of anybody."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

_STYLE: Final = """
body{font:16px/1.5 system-ui,sans-serif;color:#1c2430;background:#fff;max-width:62rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.7rem;margin:0 0 .25rem}h2{font-size:1.2rem;margin:2.2rem 0 .6rem}
p{max-width:46rem}.lead{color:#566173;margin-top:0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.93rem}
th,td{padding:.35rem .8rem .35rem 0;text-align:left;vertical-align:top;border-bottom:1px solid #e4e8ee}
th{color:#566173;font-weight:600}.wide{overflow-x:auto}
figure{display:inline-block;margin:.5rem 1.5rem 1rem 0;vertical-align:top;width:min(100%,29rem)}
figure img{width:100%;height:auto}figcaption{color:#566173;font-size:.9rem;max-width:34rem}
code,pre{font:.88rem/1.5 ui-monospace,monospace;background:#f4f6f9;border-radius:4px}
code{padding:.1rem .3rem}pre{padding:.7rem .9rem;overflow-x:auto;white-space:pre-wrap}
.warning{border-left:4px solid #d55e00;background:#fff6ef;padding:.5rem .9rem}
"""


class Page:
    """Collects the parts of a page in reading order."""

    def __init__(self, title: str, lead: str) -> None:
        self._title = title
        self._parts: list[str | Callable[[], str]] = [f"<h1>{escape(title)}</h1>", f'<p class="lead">{escape(lead)}</p>']

    def heading(self, text: str) -> None:
        self._parts.append(f"<h2>{escape(text)}</h2>")

    def text(self, text: str) -> None:
        self._parts.append(f"<p>{escape(text)}</p>")

    def warning(self, text: str) -> None:
        self._parts.append(f'<p class="warning">{escape(text)}</p>')

    def command(self, text: str) -> None:
        self._parts.append(f"<pre>{escape(text)}</pre>")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table; a header of empty texts is left out."""
        head = "<tr>" + "".join(f"<th>{escape(name)}</th>" for name in header) + "</tr>" if any(header) else ""
        body = "".join("<tr>" + "".join(f"<td>{escape(field)}</td>" for field in row) + "</tr>" for row in rows)
        self._parts.append(f'<div class="wide"><table>{head}{body}</table></div>')

    def figure(self, svg: Callable[[], bytes], caption: str) -> None:
        """A drawing as an image of its own, drawn when the page is: its ids and styles cannot meet those of another."""

        def image() -> str:
            data = base64.b64encode(svg()).decode("ascii")
            return (
                f'<figure><img alt="{escape(caption, quote=True)}" src="data:image/svg+xml;base64,{data}">'
                f"<figcaption>{escape(caption)}</figcaption></figure>"
            )

        self._parts.append(image)

    def html(self) -> str:
        body = "".join(part if isinstance(part, str) else part() for part in self._parts)
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{escape(self._title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>\n"
        )
