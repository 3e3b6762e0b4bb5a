"""The accuracy protocol: single points, and the minimum with its Hessian, to be compared with references."""
