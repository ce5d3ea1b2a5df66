// The kernels as they are, for comparison with without_vectors.cpp.
#include "engine/native/ablation/compiled_vectors.hpp"

const lowlat_vectors::Kernels lowlat_vectors::with_vectors{lowlat::compiled_sums,
                                                           lowlat::compiled_updates<lowlat::VectorLanes>};
