//! lowlat_engine.h in Rust, which has the words to it: what an engine promises lowlat, and what lowlat promises it.
#![allow(dead_code)]

use std::ffi::c_void;
use std::os::raw::c_char;

/// The version of this interface.
pub const INTERFACE_VERSION: u32 = 1;

// -- field values ----------------------------------------------------------------------------------------------------

// generated: enumerations
/// What a command asks for. Zero is no kind: a record of zeros is rejected.
pub mod command_type {
    pub const LIMIT: u8 = 1; // Trades as far as its price reaches; what remains rests or is canceled.
    pub const MARKET: u8 = 2; // Trades at any price; what remains is canceled.
    pub const CANCEL: u8 = 3; // Takes a resting or waiting order out.
    pub const REDUCE: u8 = 4; // Takes `quantity` off an order, which keeps its place.
    pub const REPLACE: u8 = 5; // Gives an order a new price and a new remaining quantity.
    pub const STOP: u8 = 6; // Waits; a trade at `trigger` or beyond makes it a market order.
    pub const STOP_LIMIT: u8 = 7; // Waits; a trade at `trigger` or beyond makes it a limit order at `price`.
    pub const TRAILING_STOP: u8 = 8; // A stop whose trigger follows the best trade price.
    pub const ADVANCE_TIME: u8 = 9; // Sets the engine's clock to `quantity`; orders whose expiry has come are gone.
    pub const PHASE: u8 = 10; // The symbol enters phase `quantity`.
}

/// Side of an order.
pub mod side {
    pub const BUY: u8 = 0; // Bids.
    pub const SELL: u8 = 1; // Asks.
}

/// How long an order lives.
pub mod time_in_force {
    pub const GTC: u8 = 0; // Until canceled.
    pub const IOC: u8 = 1; // Trades what it can at once; the remainder is canceled.
    pub const FOK: u8 = 2; // Trades whole at once, or is rejected.
    pub const DAY: u8 = 3; // Until the symbol's phase becomes `trading_phase::CLOSED`.
    pub const GTD: u8 = 4; // Until the clock reaches its expiry.
}

/// Bits of the `flags` of commands and orders.
pub mod exec_inst {
    pub const POST_ONLY: u8 = 1; // A limit order that would trade on arrival is rejected.
    pub const PRICE_SLIDE: u8 = 2; // With post-only: one tick behind the other side instead.
    pub const ALL_OR_NONE: u8 = 4; // A limit order that rests until it can trade whole.
    pub const TRAIL_BASIS_POINTS: u8 = 8; // A trailing stop's distance is in 1/10,000 of the price.
}

/// What happens where an incoming order would trade with one of the same owner; the incoming one's policy counts.
pub mod self_trade_prevention {
    pub const NONE: u8 = 0; // They trade.
    pub const CANCEL_RESTING: u8 = 1; // The resting order is canceled; matching goes on.
    pub const CANCEL_AGGRESSING: u8 = 2; // What remains of the incoming order is canceled.
    pub const CANCEL_BOTH: u8 = 3; // Both are canceled, the resting one first.
    pub const DECREMENT: u8 = 4; // Both lose the smaller of the two quantities, without a trade.
}

/// What a symbol does with commands: match them, collect them for an uncross, or take nothing new.
pub mod trading_phase {
    pub const CONTINUOUS: u8 = 0; // Accepts everything; entered with an uncross.
    pub const CALL: u8 = 1; // Collects orders that rest; nothing trades.
    pub const HALTED: u8 = 2; // Takes orders out only.
    pub const CLOSED: u8 = 3; // Takes orders out only; on entry day orders are canceled.
}

/// What happened.
pub mod exec_type {
    pub const ACCEPTED: u8 = 1; // The command passed every check.
    pub const REJECTED: u8 = 2; // The command failed a check and changed nothing.
    pub const TRADE: u8 = 3; // Two orders traded.
    pub const CANCELLED: u8 = 4; // What an order had left is gone.
    pub const REDUCED: u8 = 5; // An order has less left, without a trade.
    pub const REPLACED: u8 = 6; // An order has a new price and quantity.
    pub const TRIGGERED: u8 = 7; // A stop, or an all-or-none order, comes in.
    pub const REFILLED: u8 = 8; // An iceberg shows its next slice.
}

/// Why an order was rejected, or why (what remained of) it was canceled.
pub mod reason {
    pub const NONE: u8 = 0; // Neither rejected nor canceled.
    pub const UNKNOWN_KIND: u8 = 1; // There is no such kind of command.
    pub const UNKNOWN_SYMBOL: u8 = 2; // The engine does not hold this symbol.
    pub const UNKNOWN_SIDE: u8 = 3; // There is no such side.
    pub const UNKNOWN_TIME_IN_FORCE: u8 = 4; // There is no such time in force, or a replace gives one.
    pub const UNKNOWN_FLAG: u8 = 5; // There is no such flag, or a replace cannot have it.
    pub const QUANTITY_NOT_POSITIVE: u8 = 6; // The quantity is zero or negative.
    pub const QUANTITY_TOO_LARGE: u8 = 7; // The quantity does not fit 32 bits.
    pub const QUANTITY_OFF_LOT: u8 = 8; // The quantity or the display is not a multiple of the lot.
    pub const PRICE_ON_MARKET_ORDER: u8 = 9; // A kind without a price has one.
    pub const PRICE_OFF_TICK: u8 = 10; // The price or the trigger is not a multiple of the tick.
    pub const PRICE_OUTSIDE_BAND: u8 = 11; // The price or the trigger is outside the symbol's band.
    pub const DUPLICATE_ORDER_ID: u8 = 12; // An order of this id rests or waits.
    pub const UNKNOWN_ORDER_ID: u8 = 13; // No order of this id rests or waits.
    pub const REDUCE_EXCEEDS_REMAINING: u8 = 14; // The order has less left than it is to lose.
    pub const POST_ONLY_CONFLICT: u8 = 15; // Post-only on what is not a limit order that rests.
    pub const POST_ONLY_WOULD_TRADE: u8 = 16; // A post-only order would trade on arrival.
    pub const FOK_NOT_FILLABLE: u8 = 17; // A fill-or-kill order cannot trade whole.
    pub const ORDER_POOL_FULL: u8 = 18; // There is no room for another order.
    pub const TRADE_POOL_FULL: u8 = 19; // The trade tape has no room for the trades.
    pub const REQUESTED: u8 = 20; // A cancel asked for it.
    pub const IOC_REMAINDER: u8 = 21; // What an immediate-or-cancel order could not trade.
    pub const MARKET_REMAINDER: u8 = 22; // What a market order could not trade.
    pub const UNKNOWN_SELF_TRADE: u8 = 23; // There is no such self-trade policy.
    pub const TERM_NOT_FOR_KIND: u8 = 24; // The kind, with this time in force, cannot have a term.
    pub const TERMS_CONFLICT: u8 = 25; // Two terms exclude each other.
    pub const DISPLAY_TOO_LARGE: u8 = 26; // The display is larger than the order.
    pub const DISPLAY_TOO_SMALL: u8 = 27; // The order would have more than 256 slices.
    pub const EXPIRY_NOT_AHEAD: u8 = 28; // The expiry is not after the clock.
    pub const TRAIL_OUT_OF_RANGE: u8 = 29; // A trailing stop's distance is not one.
    pub const NOT_IN_THIS_PHASE: u8 = 30; // The symbol's phase does not take this command.
    pub const STOP_THROUGH_MARKET: u8 = 31; // The last price has reached the trigger.
    pub const NO_LAST_TRADE: u8 = 32; // A trailing stop has no trade to follow yet.
    pub const STOP_STILL_WAITS: u8 = 33; // A waiting stop cannot be replaced.
    pub const CLOCK_BACKWARDS: u8 = 34; // The time is before the clock.
    pub const UNKNOWN_PHASE: u8 = 35; // There is no such phase.
    pub const EXPIRED: u8 = 36; // Its expiry, or the end of its day, has come.
    pub const SELF_TRADE: u8 = 37; // Self-trade prevention.
}

/// How the resting orders of one price share what comes in.
pub mod match_algorithm {
    pub const FIFO: i64 = 0; // Oldest first.
    pub const PRO_RATA: i64 = 1; // In proportion to their quantities.
}

/// What becomes of a price that is not a multiple of the tick.
pub mod tick_rounding {
    pub const REJECT: i64 = 0; // It is rejected.
    pub const NEAREST: i64 = 1; // The nearest multiple; halfway, lower for a buyer, higher for a seller.
    pub const PASSIVE: i64 = 2; // The next lower multiple for a buyer, the next higher for a seller.
}

/// What an engine takes beside limit orders that are good till canceled and their cancellation, and what of its events
/// is compared.
pub mod capability {
    pub const MARKET: u64 = 1; // Market orders.
    pub const IOC: u64 = 2; // Immediate or cancel.
    pub const FOK: u64 = 4; // Fill or kill.
    pub const REDUCE: u64 = 8; // `command_type::REDUCE`.
    pub const REPLACE: u64 = 16; // `command_type::REPLACE`.
    pub const POST_ONLY: u64 = 32; // `exec_inst::POST_ONLY`.
    pub const PRICE_SLIDE: u64 = 64; // `exec_inst::PRICE_SLIDE`.
    pub const STOPS: u64 = 128; // `command_type::STOP` and `command_type::STOP_LIMIT`.
    pub const TRAILING_STOPS: u64 = 256; // `command_type::TRAILING_STOP`.
    pub const ICEBERGS: u64 = 512; // A display quantity.
    pub const ALL_OR_NONE: u64 = 1024; // `exec_inst::ALL_OR_NONE`.
    pub const EXPIRY: u64 = 2048; // Day and good-till-date orders, and `command_type::ADVANCE_TIME`.
    pub const PHASES: u64 = 4096; // `command_type::PHASE`: auctions and halts.
    pub const SELF_TRADE: u64 = 8192; // Self-trade prevention.
    pub const PRO_RATA: u64 = 16384; // `match_algorithm::PRO_RATA`.
    pub const RULES: u64 = 32768; // Ticks, lots and price bands other than those of a plain symbol.
    pub const SYMBOLS: u64 = 65536; // More than one symbol.
    pub const REASONS: u64 = 131072; // Its `Event.reason` is compared: otherwise any will do.
    pub const TRADE_IDS: u64 = 262144; // Its `Event.trade_id` is compared: otherwise any will do.
}
// end of generated

// -- records ---------------------------------------------------------------------------------------------------------

// generated: records
/// 32 bytes. One command. `quantity` is signed and wide so that what a caller got wrong is seen, not wrapped.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Command {
    pub order_id: u64,
    pub price: i64,        // In the symbol's price units.
    pub quantity: i64,     // In lots; of a clock the time, of a phase the phase.
    pub symbol: u32,       // Symbols are numbered from 0.
    pub kind: u8,          // `command_type`
    pub side: u8,          // `side`
    pub time_in_force: u8, // `time_in_force`
    pub flags: u8,         // Bits of `exec_inst`.
}
const _: () = assert!(std::mem::size_of::<Command>() == 32);

/// 64 bytes. A command, and what few commands have to say. With all of that zero it is the `Command`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ExtendedCommand {
    pub order_id: u64,
    pub price: i64,            // In the symbol's price units.
    pub quantity: i64,         // In lots; of a clock the time, of a phase the phase.
    pub symbol: u32,           // Symbols are numbered from 0.
    pub kind: u8,              // `command_type`
    pub side: u8,              // `side`
    pub time_in_force: u8,     // `time_in_force`
    pub flags: u8,             // Bits of `exec_inst`.
    pub trigger: i64,          // A stop's price, or how far a trailing stop trails.
    pub expiry: u64,           // Of a `time_in_force::GTD` order, on the engine's clock.
    pub display_quantity: u32, // An iceberg's slice.
    pub participant_id: u32,   // Who is not to trade with itself; 0: nobody.
    pub self_trade: u8,        // `self_trade_prevention`
    pub zero: [u8; 7],
}
const _: () = assert!(std::mem::size_of::<ExtendedCommand>() == 64);

/// 64 bytes. One event.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Event {
    pub sequence: u64,        // Ordinal of the command since the engine was made, from 0.
    pub order_id: u64,        // The order it is about; of a trade, the aggressor.
    pub maker_id: u64,        // Of a trade, the resting order.
    pub price: i64,           // Of a trade, the print.
    pub quantity: u32,        // Of a trade, what was executed.
    pub remaining: u32,       // What the order has left afterward.
    pub maker_remaining: u32, // Of a trade, the same of the resting order.
    pub symbol: u32,
    pub trade_id: u64, // Of a trade, its ordinal from 1.
    pub kind: u8,      // `exec_type`
    pub side: u8,      // `side` of the order.
    pub reason: u8,    // `reason`
    pub command: u8,   // `command_type` of the command under way.
    pub zero: u32,
}
const _: () = assert!(std::mem::size_of::<Event>() == 64);

/// 48 bytes. One symbol's rules: what its prices and quantities may be, and how they are matched.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct SymbolRules {
    pub tick: i64,      // Prices are multiples of it; 1 or more.
    pub lot: i64,       // Quantities are multiples of it; 1 to the largest quantity.
    pub price_min: i64, // The lowest price of the band, included.
    pub price_max: i64, // The highest, included.
    pub algorithm: i64, // `match_algorithm`
    pub off_tick: i64,  // `tick_rounding`
}
const _: () = assert!(std::mem::size_of::<SymbolRules>() == 48);
// end of generated

// generated: limits
/// Largest quantity of one order, in lots: sums over 2^31 orders still fit in 63 bits.
pub const QUANTITY_MAX: i64 = 4294967295;
// end of generated

// -- the engine ------------------------------------------------------------------------------------------------------

/// What an engine is made for.
#[repr(C)]
pub struct EngineSettings {
    pub size: usize,
    pub command_size: usize,
    pub rules: *const SymbolRules,
    pub symbols: u32,
    pub orders: u32,
}

/// Takes one event.
pub type EventCallback = extern "C" fn(to: *mut c_void, event: *const Event);

/// What the library's engines are, and their functions.
#[repr(C)]
pub struct EngineInterface {
    pub version: u32,
    pub size: u32,
    pub name: *const c_char,
    pub engine_version: *const c_char,
    pub capabilities: u64,
    pub create: extern "C" fn(settings: *const EngineSettings) -> *mut c_void,
    pub destroy: extern "C" fn(engine: *mut c_void),
    pub reset: extern "C" fn(engine: *mut c_void),
    pub execute: Option<extern "C" fn(*mut c_void, *const c_void, usize, EventCallback, *mut c_void)>,
    pub process: Option<extern "C" fn(*mut c_void, *const c_void, usize, *mut Event, usize) -> usize>,
    pub drain: Option<extern "C" fn(*mut c_void, *mut Event, usize) -> usize>,
}

// Texts that never change.
unsafe impl Sync for EngineInterface {}
