"""Tables of pixels."""

import gzip

from clearcnn.data.sources import load
from fuzz.target import Target, put


def seeds() -> list[bytes]:
    """Small images, told by place or not, with groups and splits; without names; in one cell."""
    cell = b" ".join(b"%d" % value for value in range(16))
    return [
        b"1,0,200,9,7\n0,250,3,4,5\n" * 3,
        b"0.5 0 1.0 1 0 1\n0.25 0 1.0 1 1 0\n" * 3,
        b"emotion,pixels,Usage\n" + (b"1,%s,Training\n0,%s,PrivateTest\n" % (cell, cell)) * 2,
        b"0;1;2;3;4;5;6;7;8;9;10;11;label\n"
        + b"1;2;3;4;5;6;7;8;9;10;11;12;a\n" * 2
        + b"1;2;3;4;5;6;7;8;9;10;11;12;b\n" * 2,
        b"label,a,b,c,d\ncat,0,1,2,3\ndog,4,5,6,7\ncat,8,9,10,255\ndog,0,0,1,1\n",
        b"pixel_0_0,pixel_0_1,pixel_1_0,pixel_1_1,label\n"
        b"0.5,0,1,1,1\n0,.25,1e-3,1,2\n1,1,0,0,1\n0,0,0,1,2\n",
        b"\xef\xbb\xbflabel,group,split,1x1,1x2\r\n"
        b'1,a,train,0,1\r\n2,b,train,3,4\r\n"1",c,test,1,9\r\n2,"d ""e""",test,7,7\r\n',
        b"class,p0x0x0,p0x0x1,p0x0x2\n1,0,0,255\n2,255,0,0\n1,1,2,3\n2,3,2,1\n",
        gzip.compress(b"1,0,200,9,7\n0,250,3,4,5\n" * 3, mtime=0),
    ]


def read(content: bytes) -> None:
    """Read the file as a source; as it is, or gzipped if it begins so."""
    name = "pixels.csv.gz" if content.startswith(b"\x1f\x8b") else "pixels.csv"
    data = load(f"csv:{put(name, content)}")
    assert len(data) >= 4


TARGET = Target(seeds, read)
