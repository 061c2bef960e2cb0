"""`rushes windows`: the windows that can be recorded."""

from __future__ import annotations

from typing import Annotated

import typer

from rushes.cli import show


def windows(
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """List the windows that can be recorded, and the monitors."""
    from rushes.capture.screen.mss_grabber import monitor_boxes
    from rushes.capture.screen.windows import list_windows

    listed, monitors = list_windows(), monitor_boxes()
    if as_json:
        show.emit(
            {
                "windows": [
                    {
                        "id": one.id_text,
                        "title": one.title,
                        "process_name": one.process_name,
                        "pid": one.pid,
                        "region": list(one.box),
                        "focused": one.focused,
                    }
                    for one in listed
                ],
                "monitors": [{"number": number, "region": list(box)} for number, box in enumerate(monitors)],
            }
        )
        return
    show.say(f"{len(listed)} windows; `rushes record --window` takes a title, a part of one, or an id")
    widest = max((len(one.process_name) for one in listed), default=0)
    for one in listed:
        size = f"{one.box.width}x{one.box.height}"
        place = f"{one.box.left},{one.box.top}"
        mark = "*" if one.focused else " "
        show.say(f"{mark} {one.id_text:<12}{size:<11}{place:<11}{one.process_name:<{widest}}  {one.title}")
    for number, box in enumerate(monitors):
        name = "all monitors" if number == 0 else f"monitor {number}"
        show.say(f"  {name}: {box.width}x{box.height} at {box.left},{box.top}")
