"""A small site: records what 1C sends and answers as the protocol says."""

from __future__ import annotations

import io
import threading
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

ORDERS = """<?xml version="1.0" encoding="windows-1251"?>
<КоммерческаяИнформация ВерсияСхемы="2.08" ДатаФормирования="2026-11-14"><Документ><Ид>site-20</Ид><Номер>20</Номер>
<Дата>2026-11-14</Дата><ХозОперация>Заказ товара</ХозОперация><Роль>Продавец</Роль><Валюта>руб</Валюта><Курс>1</Курс>
<Сумма>9683.42</Сумма><Контрагенты><Контрагент><Ид>1#admin</Ид><Наименование>Пётр Петров</Наименование>
<Роль>Покупатель</Роль><ПолноеНаименование>Пётр Петров</ПолноеНаименование></Контрагент></Контрагенты>
<Время>15:40:40</Время><Комментарий>Позвонить</Комментарий><Товары>
<Товар><Ид>{item}#x</Ид><Наименование>Комбайн</Наименование><ЦенаЗаЕдиницу>9335.42</ЦенаЗаЕдиницу>
<Количество>1.00</Количество><Сумма>9335.42</Сумма></Товар>
<Товар><Ид>ORDER_DELIVERY</Ид><Наименование>Доставка</Наименование><ЦенаЗаЕдиницу>348.00</ЦенаЗаЕдиницу>
<Количество>1</Количество><Сумма>348.00</Сумма></Товар></Товары></Документ></КоммерческаяИнформация>"""


@dataclass
class Behaviour:
    """How the site answers. ``answers``: a mode → the whole answer instead of its own."""

    user: str = ""
    zipped: bool = False
    limit: int = 0
    version: str = ""
    sessid: str = ""
    progress: int = 0
    item: str = "none"
    answers: dict[str, bytes] = field(default_factory=dict)


class FakeSite:
    """Serves one exchange address on the loopback; as a context manager."""

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        self.behaves = behaviour or Behaviour()
        self.calls: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.pieces: list[int] = []
        self.raw: dict[str, bytes] = {}
        self.asked: Counter[str] = Counter()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                query = dict(parse_qsl(urlsplit(self.path).query))
                answer = site.answer(query, {k.lower(): v for k, v in self.headers.items()}, body, self.command)
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = _serve

            def log_message(self, *_: Any) -> None:
                """Nothing is printed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/1c_exchange.php"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def answer(self, query: dict[str, str], headers: dict[str, str], body: bytes, method: str) -> bytes:
        """One call, recorded and answered."""
        mode, behaves = query["mode"], self.behaves
        self.calls.append((method, query, headers))
        self.asked[mode] += 1
        if mode in behaves.answers:
            return behaves.answers[mode]
        if mode == "checkauth":
            sessid = f"\nsessid={behaves.sessid}" if behaves.sessid else ""
            return f"success\nPHPSESSID\nabc{sessid}".encode()
        if mode == "init":
            version = f"\nversion={behaves.version}" if behaves.version else ""
            return f"zip={'yes' if behaves.zipped else 'no'}\nfile_limit={behaves.limit}{version}".encode()
        if mode == "file":
            self.pieces.append(len(body))
            self.raw[query["filename"]] = self.raw.get(query["filename"], b"") + body
        if mode == "import" and behaves.progress:
            behaves.progress -= 1
            return "\ufeffprogress\nЕщё немного".encode()
        if mode == "query":
            return ORDERS.format(item=behaves.item).encode("cp1251")
        return b"success"

    @property
    def files(self) -> dict[str, bytes]:
        """Files that came, those of archives unpacked."""
        found = {name: data for name, data in self.raw.items() if not name.endswith(".zip")}
        for name, data in self.raw.items():
            if name.endswith(".zip"):
                with zipfile.ZipFile(io.BytesIO(data)) as archive:
                    found |= {inner: archive.read(inner) for inner in archive.namelist()}
        return found

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
