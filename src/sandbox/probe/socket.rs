//! The probe datagram and its sockets: one per node and family, opened in the node's namespace.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;

/// Outside the range from which kernels take ports for outgoing connections.
const PORT: u16 = 61_777;
const MAGIC: [u8; 8] = *b"splitbr1";
const LENGTH: usize = 16;

/// A socket of one node in one family. It stays in the namespace where it was opened, whichever
/// thread uses it.
#[derive(Debug)]
pub(super) struct ProbeSocket(UdpSocket);

/// A probe as it came in.
pub(super) struct Arrival {
    pub from: IpAddr,
    /// The sender's count, from 0.
    pub number: u64,
    /// When the kernel took it in, on the wall clock, since 1970.
    pub wall: Duration,
}

impl ProbeSocket {
    /// Opens it in the calling thread's network namespace.
    pub fn open(ip: IpAddr) -> io::Result<ProbeSocket> {
        let socket = UdpSocket::bind((ip, PORT))?;
        socket.set_nonblocking(true)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        Ok(ProbeSocket(socket))
    }

    /// Sends probe `number`. That it could not leave is seen by its not arriving.
    pub fn send(&self, to: IpAddr, number: u64) {
        let mut datagram = [0; LENGTH];
        datagram[..8].copy_from_slice(&MAGIC);
        datagram[8..].copy_from_slice(&number.to_be_bytes());
        let _ = self.0.send_to(&datagram, (to, PORT));
    }

    /// The next probe that waits; `None` if there is none.
    pub fn receive(&self) -> io::Result<Option<Arrival>> {
        loop {
            let mut datagram = [0; LENGTH + 1];
            let mut control = nix::cmsg_space!(TimeSpec);
            let mut slices = [IoSliceMut::new(&mut datagram)];
            let received = recvmsg::<SockaddrStorage>(
                self.0.as_raw_fd(),
                &mut slices,
                Some(&mut control),
                MsgFlags::MSG_DONTWAIT,
            );
            let message = match received {
                Ok(message) => message,
                Err(Errno::EAGAIN) => return Ok(None),
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(errno.into()),
            };
            let length = message.bytes;
            let from = message.address.as_ref().and_then(address);
            let stamp = message.cmsgs()?.find_map(|part| match part {
                ControlMessageOwned::ScmTimestampns(stamp) => Some(Duration::from(stamp)),
                _ => None,
            });
            let wall = stamp.ok_or_else(|| {
                io::Error::other("the kernel does not say when a datagram arrived (SO_TIMESTAMPNS)")
            })?;
            // Anything else that is sent to this port is not ours.
            if let (Some(from), Some(number)) = (from, number(&datagram[..length])) {
                return Ok(Some(Arrival { from, number, wall }));
            }
        }
    }
}

fn number(datagram: &[u8]) -> Option<u64> {
    let (magic, number) = datagram.split_at_checked(MAGIC.len())?;
    (magic == MAGIC).then_some(())?;
    Some(u64::from_be_bytes(number.try_into().ok()?))
}

fn address(from: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = from.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
    v4.or_else(|| Some(IpAddr::V6(from.as_sockaddr_in6()?.ip())))
}

/// Whether a probe to one's own address arrives within 200 ms.
pub(crate) fn probe_arrives(ip: IpAddr) -> io::Result<bool> {
    let socket = ProbeSocket::open(ip)?;
    socket.send(ip, 7);
    for _ in 0..40 {
        if socket.receive()?.is_some_and(|arrival| arrival.from == ip && arrival.number == 7) {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(false)
}
