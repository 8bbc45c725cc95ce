"""Loads of voxels in any storage type, as LLVM instructions that numba itself cannot express.

float16, bfloat16 and int16 voxels are widened in registers, so a volume may be stored in half the memory at no cost;
the voxels of a cell are fetched in pairs, weighted in four lanes, and reduced once per block of samples.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as numba_intrinsic

intrinsic: Any = numba_intrinsic
_F32, _I16, _I32, _I64, _HALF = ir.FloatType(), ir.IntType(16), ir.IntType(32), ir.IntType(64), ir.HalfType()
_FOUR = ir.VectorType(_F32, 4)


def _is_half(dtype: types.Type) -> bool:
    """float16 travels as a record of its bits, since numba has no such type on the CPU; bfloat16 as uint16."""
    return isinstance(dtype, types.Record)


def _memory_type(dtype: types.Type) -> ir.Type:
    return _F32 if dtype == types.float32 else _HALF if _is_half(dtype) else _I16


def _widen(builder, value, dtype: types.Type, count: int):
    """A stored scalar (count 0) or vector as float32."""
    single = (lambda t: t) if count == 0 else (lambda t: ir.VectorType(t, count))
    if dtype == types.float32:
        return value
    if _is_half(dtype):
        return builder.fpext(value, single(_F32))
    if dtype == types.uint16:  # bfloat16: the upper half of a float32
        shift = ir.Constant(single(_I32), 16 if count == 0 else [16] * count)
        return builder.bitcast(builder.shl(builder.zext(value, single(_I32)), shift), single(_F32))
    return builder.sitofp(value, single(_F32))


def _data(context, builder, array_type, array):
    return context.make_array(array_type)(context, builder, array).data


def _load(builder, data, index, dtype: types.Type, count: int):
    memory = _memory_type(dtype)
    pointer = builder.gep(data, [index])
    target = memory if count == 0 else ir.VectorType(memory, count)
    value = builder.load(builder.bitcast(pointer, target.as_pointer()))
    value.align = 4 if memory == _F32 else 2
    return value


@intrinsic
def value_at(typing, flat, index):
    """The voxel at an offset, as float32."""

    def codegen(context, builder, signature, arguments):
        dtype = signature.args[0].dtype
        data = _data(context, builder, signature.args[0], arguments[0])
        return _widen(builder, _load(builder, data, arguments[1], dtype, 0), dtype, 0)

    return types.float32(flat, types.intp), codegen


def fma(builder, a, b, c):
    """A * b + c with one rounding, scalars or vectors."""
    kind = a.type
    name = "llvm.fma." + ("f32" if kind == _F32 else f"v{kind.count}f32")
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)
    return builder.call(function, [a, b, c])


def _splat(builder, scalar, count: int):
    empty = ir.Constant(ir.VectorType(scalar.type, count), ir.Undefined)
    lanes = ir.Constant(ir.VectorType(_I32, count), [0] * count)
    return builder.shuffle_vector(builder.insert_element(empty, scalar, _I32(0)), empty, lanes)


def _lanes(builder, vector, first: int):
    empty = ir.Constant(vector.type, ir.Undefined)
    return builder.shuffle_vector(vector, empty, ir.Constant(ir.VectorType(_I32, 2), [first, first + 1]))


def joined(builder, a, b, lanes: list[int]):
    """Chosen lanes of two vectors, those of the second counted on."""
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_I32, len(lanes)), lanes))


def load_four(builder, data, index, dtype: types.Type):
    """Four neighbouring elements as float32 lanes."""
    return _widened(builder, _load(builder, data, index, dtype, 4), dtype)


def load_two_fours(builder, data, first, second, dtype: types.Type):
    """Four neighbouring elements from each of two places as eight float32 lanes."""
    one, other = (_load(builder, data, index, dtype, 4) for index in (first, second))
    return _widened(builder, joined(builder, one, other, list(range(8))), dtype)


def _widened(builder, vector, dtype: types.Type):
    count = vector.type.count
    if dtype == types.int16:
        vector = builder.sext(vector, ir.VectorType(_I32, count))
    return _widen(builder, vector, dtype, count)


def _face(builder, data, index, row, dtype: types.Type):
    """Voxels (i, j), (i+1, j), (i, j+1), (i+1, j+1) of one slice, as four float32 lanes."""
    first = _load(builder, data, index, dtype, 2)
    second = _load(builder, data, builder.add(index, row), dtype, 2)
    return _widened(builder, joined(builder, first, second, [0, 1, 2, 3]), dtype)


class SampleBlock:
    """Reading the arrays of a block of located samples inside an intrinsic."""

    def __init__(self, context, builder, signature, arguments):
        self.context, self.builder, self.signature, self.arguments = context, builder, signature, arguments

    def array(self, position: int):
        """The array behind an argument: its data and shape."""
        return self.context.make_array(self.signature.args[position])(
            self.context, self.builder, self.arguments[position]
        )

    def offset(self, position: int, m):
        """index[m] as a 64-bit offset."""
        builder = self.builder
        return builder.sext(builder.load(builder.gep(self.array(position).data, [m])), _I64)

    def weight(self, position: int, row: int, m, lanes: int = 4):
        """weights[row, m] in every lane."""
        builder, view = self.builder, self.array(position)
        place = builder.add(builder.mul(_I64(row), builder.extract_value(view.shape, 1)), m)
        return _splat(builder, builder.load(builder.gep(view.data, [place])), lanes)

    def pair_x(self, position: int, m):
        """Rows 0 and 1 as the weights of a face's corners along its first axis."""
        return self._alternate(position, 0, m, [0, 5, 2, 7])

    def pair_y(self, position: int, m):
        """Rows 2 and 3 as the weights of a face's corners along its second axis."""
        return self._alternate(position, 2, m, [0, 1, 6, 7])

    def corners(self, position: int, m):
        """The weights of a face's four corners."""
        return self.builder.fmul(self.pair_x(position, m), self.pair_y(position, m))

    def _alternate(self, position: int, row: int, m, lanes: list[int]):
        near, far = self.weight(position, row, m), self.weight(position, row + 1, m)
        return joined(self.builder, near, far, lanes)


def accumulators(builder, count: int):
    """Variables of four lanes, zero at first."""
    return [cgutils.alloca_once_value(builder, ir.Constant(_FOUR, [0.0] * 4)) for _ in range(count)]


def _add_product(builder, total, a, b) -> None:
    builder.store(fma(builder, a, b, builder.load(total)), total)


def _reduced(builder, four):
    pair = builder.fadd(_lanes(builder, four, 0), _lanes(builder, four, 2))
    return builder.fadd(*(builder.extract_element(pair, _I32(n)) for n in range(2)))


def _dot_of_faces(flat, index, corner, weights, load_face):
    """sum_m weights[m] . face(index[m]) on two accumulators, so that additions overlap."""

    def codegen(context, builder, signature, arguments):
        block = SampleBlock(context, builder, signature, arguments)
        data, dtype = block.array(0).data, signature.args[0].dtype
        strides = cgutils.unpack_tuple(builder, arguments[2])
        totals = accumulators(builder, 2)
        count = builder.extract_value(block.array(1).shape, 0)
        with cgutils.for_range_slice(builder, _I64(0), count, _I64(2), intp=_I64) as (sample, _):
            for n, total in enumerate(totals):
                m = builder.add(sample, _I64(n))
                face = load_face(builder, data, block.offset(1, m), strides, dtype)
                _add_product(builder, total, face, block.corners(3, m))
        return _reduced(builder, builder.fadd(*(builder.load(total) for total in totals)))

    return types.float32(flat, index, corner, weights), codegen


@intrinsic
def dot_of_pairs(typing, flat, index, corner, weights):
    """Bilinear sums where the first axis across is contiguous; index and weights hold an even number of samples.

    `corner` is (1, stride of the second axis); weights[0:2, m] and [2:4, m] belong to the two voxels along each.
    """

    def load_face(builder, data, at, strides, dtype):
        return _face(builder, data, at, strides[1], dtype)

    return _dot_of_faces(flat, index, corner, weights, load_face)


@intrinsic
def dot_of_voxels(typing, flat, index, corner, weights):
    """The same where no axis across is contiguous: `corner` is (stride of the first axis, stride of the second)."""

    def load_face(builder, data, at, strides, dtype):
        face = ir.Constant(ir.VectorType(_F32, 4), ir.Undefined)
        for n in range(4):
            offset = at
            for axis in range(2):
                offset = builder.add(offset, strides[axis]) if n >> axis & 1 else offset
            voxel = _widen(builder, _load(builder, data, offset, dtype, 0), dtype, 0)
            face = builder.insert_element(face, voxel, _I32(n))
        return face

    return _dot_of_faces(flat, index, corner, weights, load_face)


@intrinsic
def fetch_cell(typing, flat, index, corner):
    """Ask the processor to bring a cell's four rows into its cache; does nothing else."""

    def codegen(context, builder, signature, arguments):
        data = _data(context, builder, signature.args[0], arguments[0])
        row, plane = cgutils.unpack_tuple(builder, arguments[2])
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [byte, _I32, _I32, _I32])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        first = arguments[1]
        second = builder.add(first, plane)
        for at in (first, builder.add(first, row), second, builder.add(second, row)):
            pointer = builder.bitcast(builder.gep(data, [at]), byte)
            builder.call(prefetch, [pointer, _I32(0), _I32(3), _I32(1)])
        return context.get_dummy_value()

    return types.void(flat, types.intp, corner), codegen


def _cell(builder, data, index, strides, dtype):
    """The lower and the upper face of a cell; strides are those of rows and slices."""
    row, plane = strides
    return _face(builder, data, index, row, dtype), _face(builder, data, builder.add(index, plane), row, dtype)


def _blend(block, position: int, m, lower, upper):
    """The face between two, by the weights of rows 4 and 5."""
    builder = block.builder
    return fma(builder, upper, block.weight(position, 5, m), builder.fmul(lower, block.weight(position, 4, m)))


@intrinsic
def dot_of_cells(typing, flat, index, corner, weights):
    """The sum of trilinear values over a block of an even number of samples.

    `corner` is the stride of rows and of slices; the rows of weights are x0 x1 y0 y1 z0 z1.
    """

    def codegen(context, builder, signature, arguments):
        block = SampleBlock(context, builder, signature, arguments)
        data, dtype = block.array(0).data, signature.args[0].dtype
        strides = cgutils.unpack_tuple(builder, arguments[2])
        totals = accumulators(builder, 2)
        count = builder.extract_value(block.array(1).shape, 0)
        with cgutils.for_range_slice(builder, _I64(0), count, _I64(2), intp=_I64) as (sample, _):
            for n, total in enumerate(totals):
                m = builder.add(sample, _I64(n))
                lower, upper = _cell(builder, data, block.offset(1, m), strides, dtype)
                _add_product(builder, total, _blend(block, 3, m, lower, upper), block.corners(3, m))
        return _reduced(builder, builder.fadd(*(builder.load(total) for total in totals)))

    return types.float32(flat, index, corner, weights), codegen


@intrinsic
def dots_of_slopes(typing, flat, index, corner, weights, slopes):
    """The sums over a block of f, of its slopes along x, y, z, and of m times those slopes, m the place in the block.

    `slopes` are the derivatives of the six rows of weights.
    """

    def codegen(context, builder, signature, arguments):
        block = SampleBlock(context, builder, signature, arguments)
        data, dtype = block.array(0).data, signature.args[0].dtype
        strides = cgutils.unpack_tuple(builder, arguments[2])
        totals = accumulators(builder, 7)
        count = builder.extract_value(block.array(1).shape, 0)
        with cgutils.for_range(builder, count, intp=_I64) as loop:
            m = loop.index
            lower, upper = _cell(builder, data, block.offset(1, m), strides, dtype)
            value, rise = _blend(block, 3, m, lower, upper), _blend(block, 4, m, lower, upper)
            near_x, near_y = block.pair_x(3, m), block.pair_y(3, m)
            plain = builder.fmul(near_x, near_y)
            along_x = builder.fmul(block.pair_x(4, m), near_y)
            along_y = builder.fmul(near_x, block.pair_y(4, m))
            place = _splat(builder, builder.sitofp(m, _F32), 4)
            value_later, rise_later = builder.fmul(value, place), builder.fmul(rise, place)
            _add_product(builder, totals[0], value, plain)
            _add_product(builder, totals[1], value, along_x)
            _add_product(builder, totals[2], value, along_y)
            _add_product(builder, totals[3], rise, plain)
            _add_product(builder, totals[4], value_later, along_x)
            _add_product(builder, totals[5], value_later, along_y)
            _add_product(builder, totals[6], rise_later, plain)
        sums = [_reduced(builder, builder.load(total)) for total in totals]
        return context.make_tuple(builder, signature.return_type, sums)

    seven = types.UniTuple(types.float32, 7)
    return seven(flat, index, corner, weights, slopes), codegen
