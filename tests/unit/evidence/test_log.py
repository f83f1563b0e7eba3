"""The Merkle log against the vectors of Certificate Transparency and a naive reading of the RFC.

Long because those vectors stand here as they were published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import EvidenceError
from monitor.evidence.log import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
    verify_levels,
)

# The eight leaves, roots and proofs of the reference implementation (certificate-transparency,
# merkletree/merkle_tree_test.cc; the same stand in transparency-dev/merkle).
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
CT_INCLUSION = [  # entry, size, proof
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CT_CONSISTENCY = [  # old, new, proof
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]


class Stored:
    """A log whose complete subtrees are kept, as the storage keeps them."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.reads = 0
        self.frontier = Frontier()
        self.roots = [self.frontier.root()]
        for index, leaf in enumerate(leaves):
            self.nodes[0, index] = leaf
            for node in self.frontier.append(leaf):
                assert (node.level, node.index) not in self.nodes, "a stored node never changes"
                self.nodes[node.level, node.index] = node.hash
            self.roots.append(self.frontier.root())

    def get(self, level: int, index: int) -> bytes:
        self.reads += 1
        return self.nodes[level, index]


def hashes(count: int) -> list[bytes]:
    return [leaf_hash(index.to_bytes(4)) for index in range(count)]


# The definitions of RFC 6962, section 2.1, word for word.


def split(count: int) -> int:
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def mth(leaves: list[bytes]) -> bytes:
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return node_hash(mth(leaves[:k]), mth(leaves[k:]))


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], *, whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole=whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], whole=False), mth(leaves[:k])]


CT = Stored([leaf_hash(content) for content in CT_LEAVES])


def test_the_empty_log_has_the_root_of_rfc_6962() -> None:
    assert EMPTY_ROOT == Frontier().root() == sha256(b"").digest()


def test_the_roots_are_those_of_certificate_transparency() -> None:
    assert [root.hex() for root in CT.roots[1:]] == CT_ROOTS


@pytest.mark.parametrize(("index", "size", "proof"), CT_INCLUSION)
def test_inclusion_proofs_are_those_of_certificate_transparency(
    index: int, size: int, proof: list[str]
) -> None:
    assert [one.hex() for one in inclusion_proof(index, size, CT.get)] == proof
    verify_inclusion(
        CT.nodes[0, index], index, size, [bytes.fromhex(one) for one in proof], CT.roots[size]
    )


@pytest.mark.parametrize(("old", "new", "proof"), CT_CONSISTENCY)
def test_consistency_proofs_are_those_of_certificate_transparency(
    old: int, new: int, proof: list[str]
) -> None:
    assert [one.hex() for one in consistency_proof(old, new, CT.get)] == proof
    verify_consistency(
        old, new, [bytes.fromhex(one) for one in proof], CT.roots[old], CT.roots[new]
    )


def test_everything_agrees_with_the_definitions_for_every_size_up_to_forty() -> None:
    leaves = hashes(40)
    stored = Stored(leaves)
    for size in range(41):
        assert stored.roots[size] == mth(leaves[:size])
        again = Frontier.of(size, stored.get)
        assert (again.size, again.root()) == (size, stored.roots[size])
        for index in range(size):
            inclusion = inclusion_proof(index, size, stored.get)
            assert list(inclusion) == path(index, leaves[:size])
            verify_inclusion(leaves[index], index, size, inclusion, stored.roots[size])
        for old in range(1, size + 1):
            proof = consistency_proof(old, size, stored.get)
            assert list(proof) == subproof(old, leaves[:size], whole=True)
            verify_consistency(old, size, proof, stored.roots[old], stored.roots[size])


BIG = Stored(hashes(1500))


@given(st.data())
def test_proofs_agree_with_the_definitions_at_any_size(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 1500))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    leaves = [BIG.nodes[0, one] for one in range(size)]
    assert BIG.roots[size] == mth(leaves)
    assert list(inclusion_proof(index, size, BIG.get)) == path(index, leaves)
    assert list(consistency_proof(old, size, BIG.get)) == subproof(old, leaves, whole=True)


@given(st.data())
def test_no_changed_inclusion_proof_verifies(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 200))
    index = data.draw(st.integers(0, size - 1))
    root, leaf = BIG.roots[size], BIG.nodes[0, index]
    proof = list(inclusion_proof(index, size, BIG.get))
    verify_inclusion(leaf, index, size, proof, root)
    changes = ["leaf", "root", "index", "longer", *(["proof", "shorter"] if proof else [])]
    change = data.draw(st.sampled_from(changes))
    if change == "leaf":
        leaf = flipped(data, leaf)
    elif change == "root":
        root = flipped(data, root)
    elif change == "index":
        index = (index + 1) % (size + 1)
    elif change == "longer":
        proof.insert(data.draw(st.integers(0, len(proof))), bytes(32))
    else:
        place = data.draw(st.integers(0, len(proof) - 1))
        proof[place : place + 1] = [flipped(data, proof[place])] if change == "proof" else []
    with pytest.raises(EvidenceError):
        verify_inclusion(leaf, index, size, proof, root)


@given(st.data())
def test_no_changed_consistency_proof_verifies(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 200))
    old = data.draw(st.integers(1, new - 1))
    roots = [BIG.roots[old], BIG.roots[new]]
    proof = list(consistency_proof(old, new, BIG.get))
    verify_consistency(old, new, proof, roots[0], roots[1])
    change = data.draw(st.sampled_from(["old root", "new root", "proof", "longer", "shorter"]))
    if change == "old root":
        roots[0] = flipped(data, roots[0])
    elif change == "new root":
        roots[1] = flipped(data, roots[1])
    elif change == "longer":
        proof.insert(data.draw(st.integers(0, len(proof))), bytes(32))
    else:
        place = data.draw(st.integers(0, len(proof) - 1))
        if change == "shorter":
            del proof[place]
        else:
            proof[place] = flipped(data, proof[place])
    with pytest.raises(EvidenceError):
        verify_consistency(old, new, proof, roots[0], roots[1])


def flipped(data: st.DataObject, octets: bytes) -> bytes:
    changed = bytearray(octets)
    changed[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    return bytes(changed)


@given(st.integers(1, 1499), st.integers(1, 1499))
def test_a_frontier_read_back_continues_as_if_it_had_never_stopped(size: int, more: int) -> None:
    frontier = Frontier.of(size, BIG.get)
    for index in range(size, min(size + more, 1500)):
        for node in frontier.append(BIG.nodes[0, index]):
            assert BIG.nodes[node.level, node.index] == node.hash
    assert frontier.root() == BIG.roots[frontier.size]


def levels(nodes: dict[tuple[int, int], bytes]) -> Callable[[int], Iterator[bytes]]:
    def read_level(wanted: int) -> Iterator[bytes]:
        return iter([nodes[key] for key in sorted(nodes) if key[0] == wanted])

    return read_level


@pytest.mark.parametrize("size", [*range(20), 64, 100])
def test_the_stored_nodes_of_a_log_are_checked_against_each_other(size: int) -> None:
    nodes = Stored(hashes(size)).nodes
    verify_levels(size, levels(nodes))
    interior = [key for key in nodes if key[0] > 0]
    for key in interior:
        altered = {**nodes, key: bytes(32)}
        with pytest.raises(EvidenceError, match=f"node {key[1]} of level {key[0]} .*altered"):
            verify_levels(size, levels(altered))
        lost = {one: value for one, value in nodes.items() if one != key}
        with pytest.raises(EvidenceError, match=rf"of level {key[0]} of the log"):
            verify_levels(size, levels(lost))
    for level in range(1, size.bit_length() + 1):
        extra = (level, size >> level)
        with pytest.raises(EvidenceError, match=f"node {extra[1]} of level {level} .*altered"):
            verify_levels(size, levels({**nodes, extra: bytes(32)}))


def test_every_log_begins_with_the_empty_one() -> None:
    assert consistency_proof(0, 5, CT.get) == ()
    verify_consistency(0, 5, (), EMPTY_ROOT, CT.roots[5])
    verify_consistency(0, 0, (), EMPTY_ROOT, EMPTY_ROOT)
    with pytest.raises(EvidenceError, match="not the one that was signed"):
        verify_consistency(0, 5, (), CT.roots[1], CT.roots[5])


@pytest.mark.parametrize(("index", "size"), [(0, 8), (5, 8), (4, 5), (7, 8)])
def test_a_proof_of_the_wrong_length_says_so(index: int, size: int) -> None:
    leaf, root = CT.nodes[0, index], CT.roots[size]
    proof = inclusion_proof(index, size, CT.get)
    with pytest.raises(EvidenceError, match="too long"):
        verify_inclusion(leaf, index, size, (*proof, bytes(32)), root)
    with pytest.raises(EvidenceError, match="too short"):
        verify_inclusion(leaf, index, size, proof[:-1], root)
    proof = consistency_proof(3, size, CT.get)
    with pytest.raises(EvidenceError, match="too long"):
        verify_consistency(3, size, (*proof, bytes(32)), CT.roots[3], root)
    with pytest.raises(EvidenceError, match="too short"):
        verify_consistency(3, size, proof[:-1], CT.roots[3], root)


def test_two_different_logs_of_one_size_are_not_consistent() -> None:
    with pytest.raises(EvidenceError, match="not the one that was signed"):
        verify_consistency(5, 5, (), CT.roots[5], CT.roots[6])
    with pytest.raises(EvidenceError, match="entries were taken out"):
        verify_consistency(6, 5, (), CT.roots[6], CT.roots[5])


REFUSED: list[Callable[[], object]] = [
    lambda: inclusion_proof(8, 8, CT.get),
    lambda: inclusion_proof(-1, 8, CT.get),
    lambda: inclusion_proof(0, 0, CT.get),
    lambda: consistency_proof(9, 8, CT.get),
    lambda: consistency_proof(-1, 8, CT.get),
    lambda: Frontier.of(-1, CT.get),
    lambda: Frontier.of(8, lambda *_: b"short"),
    lambda: verify_inclusion(CT.nodes[0, 0], 0, 1, (), b"short"),
    lambda: verify_inclusion(CT.nodes[0, 0], 1, 1, (), CT.roots[1]),
    lambda: verify_consistency(1, 2, (b"short",), CT.roots[1], CT.roots[2]),
    lambda: verify_consistency(3, 8, (), CT.roots[3], CT.roots[8]),
]


@pytest.mark.parametrize("attempt", REFUSED)
def test_what_cannot_be_is_refused(attempt: Callable[[], object]) -> None:
    with pytest.raises(EvidenceError):
        attempt()


def test_a_proof_in_a_log_of_ten_million_reads_few_nodes() -> None:
    reads = 0

    def any_node(level: int, index: int) -> bytes:
        nonlocal reads
        reads += 1
        return sha256(f"{level}/{index}".encode()).digest()

    for index in (0, 4_194_303, 8_388_608, 9_999_999):
        reads = 0
        proof = inclusion_proof(index, 10_000_000, any_node)
        assert len(proof) <= 24
        assert reads <= 48
