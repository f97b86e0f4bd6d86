"""Stops new connections at a listening socket while those that exist already go on."""

from __future__ import annotations

import ctypes
import socket
import struct
import sys

# Not in the socket module: linux/asm-generic/socket.h.
_SO_ATTACH_FILTER = 26

# A classic BPF program over the TCP header: (operation, if true, if false, operand).
_LOAD_BYTE, _JUMP_IF_SET, _RETURN = 0x30, 0x45, 0x06
_FLAGS_OFFSET, _SYN = 13, 0x02
_DROP, _KEEP = 0, 0xFFFFFFFF
_PROGRAM = (
    (_LOAD_BYTE, 0, 0, _FLAGS_OFFSET),
    (_JUMP_IF_SET, 0, 1, _SYN),
    (_RETURN, 0, 0, _DROP),
    (_RETURN, 0, 0, _KEEP),
)


def drop_new_connections(listener: socket.socket) -> bool:
    """Make the kernel drop attempts to connect; return whether it does.

    A client whose handshake ends between the last accept and the close of the listener would see
    its connection reset. With its first packet dropped it has no connection yet: it tries again
    and is refused, which it can tell from a request that failed. Linux only.
    """
    if sys.platform != "linux":
        return False
    program = b"".join(struct.pack("=HBBI", *instruction) for instruction in _PROGRAM)
    buffer = ctypes.create_string_buffer(program, len(program))
    pointer = struct.pack("@HP", len(_PROGRAM), ctypes.addressof(buffer))
    try:
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, pointer)
    except OSError:  # a sandbox without it, or a kernel that lets only root filter
        return False
    return True
