//! Asks the kernel to run a thread soon after it wakes, for those that cut, heal and probe.
//!
//! On a machine that the nodes keep busy, a thread that wakes waits for the slices of others: some
//! milliseconds each, which would be measured as part of the fault. Since Linux 6.12 a thread may
//! ask for shorter slices of its own (sched_setattr(2), `sched_runtime`): it gets no more of the
//! processor, but sooner, and needs no privilege. Older kernels pass over the wish.

use nix::libc;

/// The shortest slice that the kernel grants, in nanoseconds.
const SLICE: u64 = 100_000;

/// `struct sched_attr` of sched_setattr(2), in its first form.
#[repr(C)]
#[derive(Debug, Default)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// Asks for short slices for the calling thread, and for the processes that it starts from then
/// on. Whether the kernel heeds it changes how promptly things happen, never what happens.
pub fn ask_for_short_slices() {
    let thread = 0;
    let mut attributes = Attributes::default();
    let size = size_of::<Attributes>() as u32;
    // SAFETY: both calls are given the size of the structure that the pointer leads to.
    unsafe {
        let read = libc::syscall(libc::SYS_sched_getattr, thread, &raw mut attributes, size, 0_u32);
        // Only of the ordinary policy is the runtime a wish; elsewhere it is somebody's setting.
        if read == 0 && attributes.policy == libc::SCHED_OTHER as u32 {
            attributes.runtime = SLICE;
            libc::syscall(libc::SYS_sched_setattr, thread, &raw const attributes, 0_u32);
        }
    }
}
