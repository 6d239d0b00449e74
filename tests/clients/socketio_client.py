"""python-socketio in a process of its own: argv is the URL and the transports; what happened is written as JSON."""

import json
import sys
import threading

import socketio


def main() -> None:
    url, transports = sys.argv[1], sys.argv[2].split(",")
    told: dict[str, object] = {}
    client = socketio.Client()
    back, upgraded = threading.Event(), threading.Event()

    @client.on("message-back")
    def on_back(*arguments: object) -> None:
        told["back"] = [argument.hex() if isinstance(argument, bytes) else argument for argument in arguments]
        back.set()

    @client.on("auth", namespace="/custom")
    def on_auth(auth: object) -> None:
        told["auth"] = auth
        upgraded.set()

    client.connect(url, namespaces=["/", "/custom"], transports=transports, auth={"token": "t"}, wait_timeout=5)
    assert upgraded.wait(10)
    client.emit("message", ("a", b"\0\xff", {"b": [1, True]}))
    assert back.wait(10)
    answer = client.call("message-with-ack", ("c", b"\1"), timeout=10)
    told["ack"] = [part.hex() if isinstance(part, bytes) else part for part in answer]
    told["transport"] = client.transport()
    client.disconnect()
    try:
        socketio.Client(reconnection=False).connect(url, namespaces=["/nope"], transports=transports, wait_timeout=5)
    except socketio.exceptions.ConnectionError:
        told["nope"] = "refused"
    print(json.dumps(told))


main()
