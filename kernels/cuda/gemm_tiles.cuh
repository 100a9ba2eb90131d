// Which tile a block computes when: the same on both sides of the kernel, loading and computing.
//
// Tiles are numbered group by group; within a group they run down strips of 16 tiles of rows, so
// that the blocks that run at one time share rows of a and b in L2. Block i of a grid of g takes
// tiles i, i + g, i + 2 g, ...
#pragma once

#include <cstdint>

namespace pipescope::kernels::cuda {

enum class Layout { kDense, kRows, kDepth };

struct GemmArguments {
  const float* a_scales;   // [groups of k][a_stride]
  const float* b_scales;   // blocks: [groups of n][groups of k]; tiles: [groups of k][b_stride]
  const int32_t* offsets;  // of groups, on the device
  int m, n, k, groups;
  int a_stride, b_stride;
};

struct Tile {
  int row, column;     // of c
  int b_row;           // where b's rows begin
  int first_k, steps;  // groups of 128 along k
  int group;           // of c's outermost dimension
};

inline constexpr int kStrip = 16;

// Rows of tiles of group g of the rows layout.
__device__ inline int RowTiles(const GemmArguments& a, int g) {
  return (a.offsets[g + 1] - a.offsets[g]) / 128;
}

template <Layout layout, int width>
__device__ inline int TileCount(const GemmArguments& a) {
  const int rows = (a.m + 127) / 128, columns = (a.n + width - 1) / width;
  return rows * columns * (layout == Layout::kDepth ? a.groups : 1);
}

// The `index`-th tile of a rectangle of tiles, strip by strip.
template <int width>
__device__ inline void Place(int index, int rows, int columns, Tile& tile) {
  const int strip = index / (kStrip * columns), first = strip * kStrip;
  const int height = min(kStrip, rows - first), within = index - strip * kStrip * columns;
  tile.row = (first + within % height) * 128;
  tile.column = within / height * width;
}

template <Layout layout, int width>
__device__ inline Tile TileAt(const GemmArguments& a, int index) {
  const int columns = (a.n + width - 1) / width;
  Tile tile = {0, 0, 0, 0, (a.k + 127) / 128, 0};
  if constexpr (layout == Layout::kRows) {
    int g = 0;
    while (index >= RowTiles(a, g) * columns) index -= RowTiles(a, g++) * columns;
    Place<width>(index, RowTiles(a, g), columns, tile);
    tile.row += a.offsets[g];
    tile.b_row = g * a.n + tile.column;
  } else {
    const int rows = (a.m + 127) / 128, each = rows * columns;
    tile.group = layout == Layout::kDepth ? index / each : 0;
    Place<width>(index - tile.group * each, rows, columns, tile);
    tile.b_row = tile.column;
    if constexpr (layout == Layout::kDepth) {
      tile.first_k = a.offsets[tile.group] / 128;
      tile.steps = a.offsets[tile.group + 1] / 128 - tile.first_k;
    }
  }
  return tile;
}

}  // namespace pipescope::kernels::cuda
