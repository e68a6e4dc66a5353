# SPDX-License-Identifier: Apache-2.0
"""An EFI program that a loader takes for a UKI: it says its name on the console and powers off. A boot up to it takes
seconds, so that many trees of an ESP can be tried."""
import struct

# rcx: image handle, rdx: system table (ConOut at 0x40, RuntimeServices at 0x58).
CODE = bytes.fromhex(
    "53"              # push rbx
    "4883ec20"        # sub  rsp, 32
    "4889d3"          # mov  rbx, rdx
    "488b4b40"        # mov  rcx, [rbx + 0x40]
    "488d1519000000"  # lea  rdx, [rip + 25]       the text behind the code
    "ff5108"          # call [rcx + 8]             OutputString
    "488b4358"        # mov  rax, [rbx + 0x58]
    "b902000000"      # mov  ecx, 2                EfiResetShutdown
    "31d2"            # xor  edx, edx
    "4531c0"          # xor  r8d, r8d
    "4531c9"          # xor  r9d, r9d
    "ff5068"          # call [rax + 0x68]          ResetSystem
    "ebfe")           # jmp  $
CODE_AND_DATA, DATA = 0xE0000020, 0x40000040
PAGE, FILE_ALIGNMENT, HEADERS = 0x1000, 0x200, 0x400


def aligned(size, unit):
    return -(-size // unit) * unit


def program(text, release=None):
    """The file's bytes; with an os-release it looks like a UKI."""
    content = [(b".text", CODE + f"{text}\r\n\0".encode("utf-16-le"), CODE_AND_DATA)]
    if release is not None:
        content += [(b".osrel", release.encode(), DATA), (b".cmdline", b"quiet", DATA), (b".linux", b"none", DATA)]
    headers, body, address, offset = b"", b"", PAGE, HEADERS
    for name, data, flags in content:
        raw = aligned(len(data), FILE_ALIGNMENT)
        headers += struct.pack("<8sIIIIIIHHI", name, len(data), address, raw, offset, 0, 0, 0, 0, flags)
        body += data.ljust(raw, b"\0")
        address += aligned(len(data), PAGE)
        offset += raw
    optional = struct.pack("<HBBIIIIIQIIHHHHHHIIIIHHQQQQII", 0x20B, 1, 0, FILE_ALIGNMENT, len(body) - FILE_ALIGNMENT, 0,
                           PAGE, PAGE, 0, PAGE, FILE_ALIGNMENT, 0, 0, 0, 0, 0, 0, 0, address, HEADERS, 0, 10, 0,
                           1 << 20, 1 << 12, 1 << 20, 1 << 12, 0, 16) + bytes(16 * 8)
    coff = struct.pack("<HHIIIHH", 0x8664, len(content), 0, 0, 0, len(optional), 0x22)
    head = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x80)
    return (head.ljust(0x80, b"\0") + b"PE\0\0" + coff + optional + headers).ljust(HEADERS, b"\0") + body
