"""An S3 server on 127.0.0.1 until it is ended: `s3_server.py FILE` writes its address into FILE."""

import sys
import time
from pathlib import Path

from moto.server import ThreadedMotoServer

if __name__ == "__main__":
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    file = Path(sys.argv[1])
    file.with_suffix(".new").write_text(f"http://{host}:{port}")
    file.with_suffix(".new").rename(file)
    while True:
        time.sleep(60)
