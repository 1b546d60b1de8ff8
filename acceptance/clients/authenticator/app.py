"""An authenticator app that the project did not write: zxing-cpp reads the picture, pyotp counts.

Each line of input is JSON: a picture (PNG in base64) to scan. The answer is the address in it, what
pyotp understands of the address, and the codes of the last, the present and the next half minute.
"""

import base64
import io
import json
import sys
import time

import pyotp
import zxingcpp
from PIL import Image

for line in sys.stdin:
    picture = Image.open(io.BytesIO(base64.b64decode(json.loads(line)["picture"]))).convert("L")
    [found] = zxingcpp.read_barcodes(picture)
    device = pyotp.parse_uri(found.text)
    now = int(time.time())
    print(
        json.dumps(
            {
                "address": found.text,
                "name": device.name,
                "seed": device.secret,
                "codes": [device.at(now + ahead) for ahead in (-30, 0, 30)],
            }
        ),
        flush=True,
    )
