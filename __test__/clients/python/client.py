"""A client in Python: connects, authenticates, calls, subscribes, publishes, and says what it saw."""

import json
import sys

from socketclusterclient import Socketcluster

url, token = sys.argv[1:3]


def say(step, value=None):
    print(json.dumps({"step": step, "value": value}), flush=True)


def on_answer(name, error, value):
    say("error" if error else "answer", error or value)


def on_subscribed(channel, error, value):
    say("error" if error else "subscribed", error or channel)


def on_publication(name, value):
    say("publication", value)


def on_connect(socket):
    say("connected")
    socket.emitack("double", 21, on_answer)
    socket.onchannel("from-server", on_publication)
    socket.subscribeack("from-server", on_subscribed)
    socket.publish("from-python", {"hello": [1, 2]})


def on_disconnect(socket):
    say("disconnected")


def on_connect_error(socket, error):
    say("error", str(error))


client = Socketcluster.socket(url)
client.setAuthtoken(token)
client.setBasicListener(on_connect, on_disconnect, on_connect_error)
client.setreconnection(False)
client.connect()
