// What lets one source be compiled for the host and for a GPU. The protocol's own code uses nothing
// else of CUDA.
#pragma once

#ifdef __CUDACC__
#define PIPESCOPE_BOTH __host__ __device__ __forceinline__
#else
#define PIPESCOPE_BOTH inline
#endif
#ifdef __CUDA_ARCH__  // the host's compiler does not know it
#define PIPESCOPE_UNROLL _Pragma("unroll")
#else
#define PIPESCOPE_UNROLL
#endif
