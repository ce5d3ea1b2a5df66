#include "engine/native/bindings/register.hpp"

NB_MODULE(_core, m) {
    m.doc() = "Native half of `engine`: private, use the package.";
    lowlat::register_arrays(m);
    lowlat::register_arrivals(m);
    lowlat::register_book_builder(m);
    lowlat::register_build(m);
    lowlat::register_itch(m);
    lowlat::register_journal(m);
    lowlat::register_engine(m);
    lowlat::register_flow(m);
    lowlat::register_follower(m);
    lowlat::register_guarded_mapping(m);
    lowlat::register_recorded_walk(m);
    lowlat::register_recovery(m);
    lowlat::register_mapped_book(m);
    lowlat::register_run(m);
    lowlat::register_ablation(m);
    lowlat::register_foreign(m);
    lowlat::register_external(m);
    lowlat::register_pipeline(m);
    lowlat::register_prices(m);
    lowlat::register_rings(m);
}
