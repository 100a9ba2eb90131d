// The largest of several values that are spread normally: what a group waits for when all of its
// members have to come.
//
//   e(n) = integral of x n f(x) F(x)^(n-1) dx,   f, F: density and distribution of N(0, 1)
//
// e(2) = 1 / sqrt(pi) = 0.564, e(8) = 1.42, e(64) = 2.34. With times of mean C and standard
// deviation s C, the mean member waits s C e(n) for the slowest of n.
#pragma once

namespace pipescope {

// Mean of the largest of n independent standard normal values, to 1e-6; 0 for n <= 1. Remembered.
double ExpectedMaximum(int n);

}  // namespace pipescope
