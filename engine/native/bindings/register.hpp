// The functions that module.cpp calls: one per file with bindings.
#pragma once

#include <nanobind/nanobind.h>

namespace lowlat {

void register_ablation(nanobind::module_& m);
void register_arrays(nanobind::module_& m);
void register_arrivals(nanobind::module_& m);
void register_book_builder(const nanobind::module_& m);
void register_build(nanobind::module_& m);
void register_engine(const nanobind::module_& m);
void register_external(nanobind::module_& m);
void register_flow(nanobind::module_& m);
void register_follower(const nanobind::module_& m);
void register_foreign(nanobind::module_& m);
void register_guarded_mapping(const nanobind::module_& m);
void register_itch(nanobind::module_& m);
void register_journal(nanobind::module_& m);
void register_mapped_book(nanobind::module_& m);
void register_pipeline(const nanobind::module_& m);
void register_run(nanobind::module_& m);
void register_prices(nanobind::module_& m);
void register_recorded_walk(nanobind::module_& m);
void register_recovery(nanobind::module_& m);
void register_rings(nanobind::module_& m);

}  // namespace lowlat
