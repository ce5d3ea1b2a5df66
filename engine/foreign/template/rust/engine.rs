//! A tiny engine behind lowlat_engine.h: put yours in its place.
//! SPDX-License-Identifier: MIT-0
//!
//! One symbol, price then time: limit orders that rest or are immediate or cancel, market orders, cancels, reduces. Its
//! maps and queues take memory as they go; a fast engine takes it in `create`.

mod lowlat_engine;

use lowlat_engine::*;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ffi::c_void;

#[derive(Clone, Copy)]
struct Order {
    id: u64,
    price: i64,
    remaining: u32,
    side: u8,
}

/// Where a price stands on its side of the book: less is better. `!` reverses the order and cannot overflow.
fn rank_of(side: u8, price: i64) -> i64 {
    if side == side::BUY {
        !price
    } else {
        price
    }
}

struct Engine {
    levels: [BTreeMap<i64, VecDeque<Order>>; 2], // by side, then by rank of the price; oldest first
    by_id: HashMap<u64, (u8, i64)>,              // side and rank of each order
    command_size: usize,
    orders_max: usize,
    sequence: u64,
    trades: u64,
    command: Command, // under way
    emit: EventCallback,
    to: *mut c_void,
}

impl Engine {
    fn execute(&mut self) {
        if !self.can_be_executed() {
            let Command { order_id: id, price, side, .. } = self.command;
            self.report(exec_type::REJECTED, &Order { id, price, remaining: 0, side }, 0);
        } else if self.command.kind == command_type::CANCEL {
            self.cancel();
        } else if self.command.kind == command_type::REDUCE {
            self.reduce();
        } else {
            self.enter();
        }
        self.sequence += 1;
    }

    fn can_be_executed(&mut self) -> bool {
        let command = self.command;
        let known = self.resting(command.order_id).map(|order| order.remaining);
        if command.symbol != 0 {
            return false;
        }
        if command.kind == command_type::CANCEL {
            return known.is_some();
        }
        if command.quantity <= 0 || command.quantity > QUANTITY_MAX {
            return false;
        }
        if command.kind == command_type::REDUCE {
            return known.map_or(false, |remaining| command.quantity <= i64::from(remaining));
        }
        if known.is_some() || command.side > side::SELL || command.time_in_force > time_in_force::IOC {
            return false;
        }
        let may_rest = command.time_in_force == time_in_force::GTC;
        command.flags == 0
            && match command.kind {
                command_type::MARKET => command.price == 0,
                command_type::LIMIT => !may_rest || self.by_id.len() < self.orders_max,
                _ => false,
            }
    }

    /// The order of this id.
    fn resting(&mut self, id: u64) -> Option<&mut Order> {
        let (side, rank) = self.by_id.get(&id)?;
        let queue = self.levels[usize::from(*side)].get_mut(rank)?;
        queue.iter_mut().find(|order| order.id == id)
    }

    fn cancel(&mut self) {
        let order = self.take_out(self.command.order_id);
        self.report_canceled(order, reason::REQUESTED);
    }

    fn reduce(&mut self) {
        let quantity = self.command.quantity as u32;
        let order = self.resting(self.command.order_id).expect("it rests");
        order.remaining -= quantity;
        let order = *order;
        self.report(exec_type::REDUCED, &order, quantity);
        if order.remaining == 0 {
            self.take_out(order.id);
        }
    }

    fn enter(&mut self) {
        let Command { order_id: id, price, quantity, kind, side, time_in_force, .. } = self.command;
        let mut order = Order { id, price, remaining: quantity as u32, side };
        self.report(exec_type::ACCEPTED, &order, order.remaining);
        self.match_with_others(&mut order);
        if order.remaining == 0 {
            return;
        }
        if kind == command_type::MARKET {
            self.report_canceled(order, reason::MARKET_REMAINDER);
        } else if time_in_force == time_in_force::IOC {
            self.report_canceled(order, reason::IOC_REMAINDER);
        } else {
            let rank = rank_of(side, price);
            self.levels[usize::from(side)].entry(rank).or_default().push_back(order);
            self.by_id.insert(id, (side, rank));
        }
    }

    fn match_with_others(&mut self, taker: &mut Order) {
        let across = if taker.side == side::BUY { side::SELL } else { side::BUY };
        let limit = match self.command.kind {
            command_type::LIMIT => rank_of(across, taker.price),
            _ => i64::MAX,
        };
        while taker.remaining != 0 {
            let maker = match self.levels[usize::from(across)].iter_mut().next() {
                Some((rank, queue)) if *rank <= limit => &mut queue[0],
                _ => return,
            };
            let quantity = taker.remaining.min(maker.remaining);
            taker.remaining -= quantity;
            maker.remaining -= quantity;
            let maker = *maker;
            self.report_trade(taker, &maker, quantity);
            if maker.remaining == 0 {
                self.take_out(maker.id);
            }
        }
    }

    fn take_out(&mut self, id: u64) -> Order {
        let (side, rank) = self.by_id.remove(&id).expect("it rests");
        let levels = &mut self.levels[usize::from(side)];
        let queue = levels.get_mut(&rank).expect("its level is there");
        let at = queue.iter().position(|order| order.id == id).expect("it is in its queue");
        let order = queue.remove(at).expect("it is in its queue");
        if queue.is_empty() {
            levels.remove(&rank);
        }
        order
    }

    /// What each kind of event says, field by field, is in lowlat's matching contract under "Events".
    fn event(&self, kind: u8, order: &Order, quantity: u32) -> Event {
        Event {
            sequence: self.sequence,
            order_id: order.id,
            price: order.price,
            quantity,
            remaining: order.remaining,
            symbol: self.command.symbol,
            kind,
            side: order.side,
            command: self.command.kind,
            ..Event::default()
        }
    }

    fn report(&self, kind: u8, order: &Order, quantity: u32) {
        (self.emit)(self.to, &self.event(kind, order, quantity));
    }

    fn report_canceled(&self, mut order: Order, reason: u8) {
        let left = std::mem::take(&mut order.remaining);
        (self.emit)(self.to, &Event { reason, ..self.event(exec_type::CANCELLED, &order, left) });
    }

    fn report_trade(&mut self, taker: &Order, maker: &Order, quantity: u32) {
        self.trades += 1;
        let trade = Event {
            price: maker.price,
            maker_id: maker.id,
            maker_remaining: maker.remaining,
            trade_id: self.trades,
            ..self.event(exec_type::TRADE, taker, quantity)
        };
        (self.emit)(self.to, &trade);
    }
}

// -- the interface ---------------------------------------------------------------------------------------------------

extern "C" fn emit_nowhere(_to: *mut c_void, _event: *const Event) {}

extern "C" fn create(settings: *const EngineSettings) -> *mut c_void {
    let settings = unsafe { &*settings };
    let engine = Engine {
        levels: Default::default(),
        by_id: HashMap::with_capacity(settings.orders as usize),
        command_size: settings.command_size,
        orders_max: settings.orders as usize,
        sequence: 0,
        trades: 0,
        command: Command::default(),
        emit: emit_nowhere,
        to: std::ptr::null_mut(),
    };
    Box::into_raw(Box::new(engine)).cast()
}

extern "C" fn destroy(engine: *mut c_void) {
    drop(unsafe { Box::from_raw(engine.cast::<Engine>()) });
}

extern "C" fn reset(engine: *mut c_void) {
    let engine = unsafe { &mut *engine.cast::<Engine>() };
    engine.levels.iter_mut().for_each(BTreeMap::clear);
    engine.by_id.clear();
    engine.sequence = 0;
    engine.trades = 0;
}

extern "C" fn execute(
    engine: *mut c_void,
    commands: *const c_void,
    count: usize,
    emit: EventCallback,
    to: *mut c_void,
) {
    let engine = unsafe { &mut *engine.cast::<Engine>() };
    engine.emit = emit;
    engine.to = to;
    for at in 0..count {
        engine.command = unsafe { *commands.cast::<u8>().add(at * engine.command_size).cast() };
        engine.execute();
    }
}

// `process` and `drain` are for an engine that fills a buffer.
static INTERFACE: EngineInterface = EngineInterface {
    version: INTERFACE_VERSION,
    size: std::mem::size_of::<EngineInterface>() as u32,
    name: b"tiny\0".as_ptr().cast(),
    engine_version: b"0.1\0".as_ptr().cast(),
    capabilities: capability::MARKET | capability::IOC | capability::REDUCE | capability::TRADE_IDS,
    create,
    destroy,
    reset,
    execute: Some(execute),
    process: None,
    drain: None,
};

#[no_mangle]
pub extern "C" fn lowlat_get_engine_interface() -> *const EngineInterface {
    &INTERFACE
}
