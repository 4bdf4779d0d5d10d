"""HTTP's share of the soak: python3 http_load.py PORT CA SECONDS CONNECTIONS

Well-behaved REST over plain HTTP and TLS, and clients that stall, split their
words, reset, or talk nonsense. Well-behaved ones must always be served. Prints
one line of JSON.
"""
import asyncio
import base64
import collections
import json
import random
import socket
import ssl
import struct
import sys
import time

PORT, CA, SECONDS, CONNECTIONS = int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
DEADLINE = time.monotonic() + SECONDS
PATIENCE = 60
CONTEXT = ssl.create_default_context(cafile=CA)
counts = collections.Counter()
errors = []


class Connection:
    """A TCP connection, with TLS worked by hand so that its bytes can be split."""

    def __init__(self, reader, writer):
        self.reader, self.writer, self.tls = reader, writer, None

    @classmethod
    async def open(cls, kept):
        """Kept in `kept`, so that whoever fails leaves nothing open."""
        counts["connections"] += 1
        connection = cls(*await asyncio.wait_for(asyncio.open_connection("127.0.0.1", PORT), PATIENCE))
        kept.append(connection)
        return connection

    async def connect(self, host, chance):
        run = base64.b64encode(chance.choice([b"run", b"offline"]) + b":secret").decode()
        self.writer.write(f"CONNECT {host}:443 HTTP/1.{chance.randrange(2)}\r\n"
                          f"Proxy-Authorization: Basic {run}\r\n\r\n".encode())
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert head.startswith(b"HTTP/1.1 200 "), head

    def hello(self, host):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = CONTEXT.wrap_bio(self.incoming, self.outgoing, server_hostname=host)
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()

    async def handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.writer.write(self.outgoing.read())
                await self.fill()
        self.writer.write(self.outgoing.read())

    async def fill(self):
        data = await asyncio.wait_for(self.reader.read(65536), PATIENCE)
        if not data:
            raise EOFError("the server closed")
        self.incoming.write(data)

    async def send(self, data):
        if self.tls:
            self.tls.write(data)
            data = self.outgoing.read()
        self.writer.write(data)
        await asyncio.wait_for(self.writer.drain(), PATIENCE)

    async def some(self):
        while self.tls:
            try:
                return self.tls.read(65536)
            except ssl.SSLWantReadError:
                await self.fill()
        return await asyncio.wait_for(self.reader.read(65536), PATIENCE)

    async def reply(self):
        data = b""
        while b"\r\n\r\n" not in data:
            more = await self.some()
            if not more:
                raise EOFError("the server closed")
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                      if line.lower().startswith(b"content-length:"))
        while len(body) < length:
            more = await self.some()
            if not more:
                raise EOFError("the server closed")
            body += more
        assert len(body) == length, "bytes behind the body"
        return int(head.split()[1]), body

    def reset(self):
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self):
        self.writer.close()


async def requests(connection, host, chance):
    for _ in range(chance.randrange(1, 10)):
        if time.monotonic() > DEADLINE:
            return
        kind = chance.random()
        if kind < 0.5:
            size = chance.choice([0, 10, 4096, 70000])
            await connection.send(f"GET /text/{size} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            status, body = await connection.reply()
            assert (status, len(body)) == (200, size), (status, len(body))
        elif kind < 0.75:
            size = chance.choice([0, 100, 300000])
            await connection.send(f"POST /count HTTP/1.1\r\nHost: {host}\r\nContent-Length: {size}\r\n\r\n".encode()
                                  + b"y" * size)
            assert await connection.reply() == (200, str(size).encode())
        elif kind < 0.9:
            await connection.send(f"GET /file/1000000 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            status, body = await connection.reply()
            assert (status, len(body)) == (200, 1000000), (status, len(body))
        else:
            await connection.send(f"GET /wait HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert await connection.reply() == (200, b"woken")
        counts["requests"] += 1
        await asyncio.sleep(chance.random() * 0.5)


async def rest(chance, kept):
    connection = await Connection.open(kept)
    await requests(connection, "localhost", chance)


async def rest_over_tls(chance, kept):
    host = chance.choice(["storage", "iam", "oauth2"]) + ".googleapis.com"
    connection = await Connection.open(kept)
    await connection.connect(host, chance)
    connection.writer.write(connection.hello(host))
    await connection.handshake()
    await requests(connection, host, chance)


async def split_hello(chance, kept):
    connection = await Connection.open(kept)
    hello = connection.hello("storage.googleapis.com")
    while hello:
        size = chance.choice([5, 50, 200])
        connection.writer.write(hello[:size])
        hello = hello[size:]
        await connection.writer.drain()
        if chance.random() < 0.2:
            await asyncio.sleep(0.01)
    await connection.handshake()
    await requests(connection, "storage.googleapis.com", chance)


async def stalled_hello(chance, kept):
    connection = await Connection.open(kept)
    hello = connection.hello("storage.googleapis.com")
    connection.writer.write(hello[:chance.randrange(len(hello))])
    # The server has had enough after a while; or we have.
    try:
        await asyncio.wait_for(connection.reader.read(1), chance.choice([0.5, 3, 15]))
    except asyncio.TimeoutError:
        pass


async def resets(chance, kept):
    connection = await Connection.open(kept)
    host = "storage.googleapis.com"
    stage = chance.randrange(6)
    if stage >= 1:
        await connection.connect(host, chance)
    if stage >= 2:
        connection.writer.write(connection.hello(host))
    if stage >= 3:
        await connection.handshake()
    if stage >= 4:
        await connection.send(chance.choice([
            b"GET /wait HTTP/1.1\r\nHost: x.googleapis.com\r\n\r\n",
            b"GET /file/1000000 HTTP/1.1\r\nHost: x.googleapis.com\r\n\r\n",
            b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"z" * 50000]))
    if stage >= 5:
        await asyncio.sleep(chance.random())
    connection.reset()


async def nonsense(chance, kept):
    connection = await Connection.open(kept)
    connection.writer.write(chance.choice([
        b"\x16\x03\x01\x40\x00" + bytes(chance.randrange(256) for _ in range(300)),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(chance.randrange(256) for _ in range(100)),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT \r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\0\1\2\3", b"",
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"]))
    try:
        await asyncio.wait_for(connection.reader.read(-1), chance.choice([0.1, 2]))
    except (asyncio.TimeoutError, ConnectionError):
        pass


KINDS = [(rest, 0.3), (rest_over_tls, 0.3), (split_hello, 0.1), (stalled_hello, 0.1), (resets, 0.1), (nonsense, 0.1)]


async def run(seed):
    chance = random.Random(seed)
    await asyncio.sleep(chance.random())
    while time.monotonic() < DEADLINE:
        kind = chance.choices([k for k, _ in KINDS], [w for _, w in KINDS])[0]
        counts[kind.__name__] += 1
        kept = []
        try:
            await kind(chance, kept)
        except Exception as error:  # noqa: BLE001: every failure is one of the server's
            if kind in (resets, nonsense, stalled_hello) and isinstance(error, (ConnectionError, EOFError)):
                continue
            counts["errors"] += 1
            if len(errors) < 5:
                errors.append(f"{kind.__name__}: {type(error).__name__}: {error}"[:300])
            await asyncio.sleep(0.1)
        finally:
            for connection in kept:
                connection.close()


async def main():
    await asyncio.gather(*(run(i) for i in range(CONNECTIONS)))
    print(json.dumps({"counts": counts, "errors": errors, "stuck": 0}), flush=True)


asyncio.run(main())
