"""Does requests with Python's standard library: client.py VERSION CAFILE PROXY|- METHOD,BYTES,URL..."""
import http.client
import ssl
import sys
import urllib.parse
import urllib.request


def main(version, cafile, proxy, *requests):
    if version != "h1":
        sys.exit(f"http.client has no {version}")
    context = ssl.create_default_context(cafile=cafile)
    if proxy != "-":
        through_proxy(context, proxy, requests)
        return
    connections = {}
    for method, size, url in (r.split(",", 2) for r in requests):
        parts = urllib.parse.urlsplit(url)
        origin = parts.scheme, parts.netloc
        if origin not in connections:
            connections[origin] = (
                http.client.HTTPSConnection(parts.netloc, context=context, timeout=30)
                if parts.scheme == "https"
                else http.client.HTTPConnection(parts.netloc, timeout=30)
            )
        connection = connections[origin]
        body = b"x" * int(size) if int(size) else None
        connection.request(method, f"{parts.path or '/'}?{parts.query}", body)
        connection.getresponse().read()
    for connection in connections.values():
        connection.close()


def through_proxy(context, proxy, requests):
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"http": proxy, "https": proxy}),
        urllib.request.HTTPSHandler(context=context),
    )
    for method, size, url in (r.split(",", 2) for r in requests):
        body = b"x" * int(size) if int(size) else None
        opener.open(urllib.request.Request(url, body, method=method), timeout=30).read()


main(*sys.argv[1:])
