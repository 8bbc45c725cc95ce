"""Loads of voxels in any storage type, as LLVM instructions that numba itself cannot express.

float16, bfloat16 and int16 voxels are widened in registers, so a volume may be stored in half the memory at no cost;
the eight voxels of a trilinear cell are fetched as four pairs and reduced in vector registers.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as numba_intrinsic

intrinsic: Any = numba_intrinsic
_F32, _I16, _I32, _I64, _HALF = ir.FloatType(), ir.IntType(16), ir.IntType(32), ir.IntType(64), ir.HalfType()


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


def _fma(builder, a, b, c):
    kind = a.type
    name = "llvm.fma." + ("f32" if kind == _F32 else f"v{kind.count}f32")
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)
    return builder.call(function, [a, b, c])


def _splat(builder, scalar, count: int):
    empty = ir.Constant(ir.VectorType(scalar.type, count), ir.Undefined)
    lanes = ir.Constant(ir.VectorType(_I32, count), [0] * count)
    return builder.shuffle_vector(builder.insert_element(empty, scalar, _I32(0)), empty, lanes)


def _mix(builder, first, second, weight_first, weight_second):
    """first * weight_first + second * weight_second, lane by lane."""
    if first.type != _F32:
        weight_first = _splat(builder, weight_first, first.type.count)
        weight_second = _splat(builder, weight_second, first.type.count)
    return _fma(builder, second, weight_second, builder.fmul(first, weight_first))


def _lanes(builder, vector, first: int):
    empty = ir.Constant(vector.type, ir.Undefined)
    return builder.shuffle_vector(vector, empty, ir.Constant(ir.VectorType(_I32, 2), [first, first + 1]))


def _face(builder, data, index, row, dtype: types.Type):
    """Voxels (i, j), (i+1, j), (i, j+1), (i+1, j+1) of one slice, as four float32 lanes."""
    first = _load(builder, data, index, dtype, 2)
    second = _load(builder, data, builder.add(index, row), dtype, 2)
    four = builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(_I32, 4), [0, 1, 2, 3]))
    if dtype == types.int16:
        four = builder.sext(four, ir.VectorType(_I32, 4))
    return _widen(builder, four, dtype, 4)


def _across(builder, pair, weight_first, weight_second):
    first, second = (builder.extract_element(pair, _I32(n)) for n in range(2))
    return _mix(builder, first, second, weight_first, weight_second)


def _weights(context, builder, array_type, array, sample):
    """A reader of weights[row, sample] from a C-ordered (rows, samples) array."""
    view = context.make_array(array_type)(context, builder, array)
    pitch = builder.extract_value(view.shape, 1)

    def read(row: int):
        return builder.load(builder.gep(view.data, [builder.add(builder.mul(_I64(row), pitch), sample)]))

    return read


@intrinsic
def cell_value(typing, flat, index, row, plane, weights, sample):
    """The trilinear value of the cell at `index`, weights rows 0..5 being x0 x1 y0 y1 z0 z1."""

    def codegen(context, builder, signature, arguments):
        _, index, row, plane, table, sample = arguments
        dtype = signature.args[0].dtype
        data = _data(context, builder, signature.args[0], arguments[0])
        w = _weights(context, builder, signature.args[4], table, sample)
        below = _face(builder, data, index, row, dtype)
        above = _face(builder, data, builder.add(index, plane), row, dtype)
        face = _mix(builder, below, above, w(4), w(5))
        edge = _mix(builder, _lanes(builder, face, 0), _lanes(builder, face, 2), w(2), w(3))
        return _across(builder, edge, w(0), w(1))

    return types.float32(flat, types.intp, types.intp, types.intp, weights, types.intp), codegen


@intrinsic
def cell_gradient(typing, flat, index, row, plane, weights, sample):
    """The trilinear value and its slopes along x, y, z; weights rows 6..11 are the slopes of rows 0..5."""

    def codegen(context, builder, signature, arguments):
        _, index, row, plane, table, sample = arguments
        dtype = signature.args[0].dtype
        data = _data(context, builder, signature.args[0], arguments[0])
        w = _weights(context, builder, signature.args[4], table, sample)
        below = _face(builder, data, index, row, dtype)
        above = _face(builder, data, builder.add(index, plane), row, dtype)
        face = _mix(builder, below, above, w(4), w(5))
        face_z = _mix(builder, below, above, w(10), w(11))
        up, down = _lanes(builder, face, 0), _lanes(builder, face, 2)
        edge = _mix(builder, up, down, w(2), w(3))
        edge_y = _mix(builder, up, down, w(8), w(9))
        edge_z = _mix(builder, _lanes(builder, face_z, 0), _lanes(builder, face_z, 2), w(2), w(3))
        results = (
            _across(builder, edge, w(0), w(1)),
            _across(builder, edge, w(6), w(7)),
            _across(builder, edge_y, w(0), w(1)),
            _across(builder, edge_z, w(0), w(1)),
        )
        return context.make_tuple(builder, signature.return_type, results)

    four = types.UniTuple(types.float32, 4)
    return four(flat, types.intp, types.intp, types.intp, weights, types.intp), codegen


def _dot(typing, flat, index, corner, weights, load_face):
    """sum_m weights[m, :] . face(index[m]) in four lanes, on two accumulators so that additions overlap."""

    def codegen(context, builder, signature, arguments):
        _, index, corner, weights = arguments
        dtype = signature.args[0].dtype
        data = _data(context, builder, signature.args[0], arguments[0])
        where = context.make_array(signature.args[1])(context, builder, index)
        share = context.make_array(signature.args[3])(context, builder, weights)
        strides = cgutils.unpack_tuple(builder, corner)
        lanes = ir.VectorType(_F32, 4)
        totals = [cgutils.alloca_once_value(builder, ir.Constant(lanes, [0.0] * 4)) for _ in range(2)]
        count = builder.extract_value(where.shape, 0)
        with cgutils.for_range_slice(builder, _I64(0), count, _I64(2), intp=_I64) as (sample, _):
            for n, total in enumerate(totals):
                m = builder.add(sample, _I64(n))
                at = builder.sext(builder.load(builder.gep(where.data, [m])), _I64)
                face = load_face(builder, data, at, strides, dtype)
                weight = builder.load(
                    builder.bitcast(builder.gep(share.data, [builder.mul(m, _I64(4))]), lanes.as_pointer())
                )
                weight.align = 4
                builder.store(_fma(builder, face, weight, builder.load(total)), total)
        four = builder.fadd(builder.load(totals[0]), builder.load(totals[1]))
        pair = builder.fadd(_lanes(builder, four, 0), _lanes(builder, four, 2))
        return builder.fadd(*(builder.extract_element(pair, _I32(n)) for n in range(2)))

    return types.float32(flat, index, corner, weights), codegen


@intrinsic
def dot_of_pairs(typing, flat, index, corner, weights):
    """Bilinear sums where the first axis across is contiguous; index and weights hold an even number of samples.

    `corner` is (1, stride of the second axis); the columns of weights are the corners b c, b+1 c, b c+1, b+1 c+1.
    """

    def load_face(builder, data, at, strides, dtype):
        return _face(builder, data, at, strides[1], dtype)

    return _dot(typing, flat, index, corner, weights, load_face)


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

    return _dot(typing, flat, index, corner, weights, load_face)
