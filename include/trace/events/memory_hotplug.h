/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM memory_hotplug

#if !defined(_TRACE_MEMORY_HOTPLUG_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_MEMORY_HOTPLUG_H

#include <linux/timekeeping.h>
#include <linux/tracepoint.h>
#include <linux/types.h>

/*
 * Each event comes at the end of an operation, whether it worked or not. @zone
 * is the name of the zone, or "-" where there is none. @begin is what
 * ktime_get_ns() returned when the operation began.
 */
DECLARE_EVENT_CLASS(mhp_operation,

	TP_PROTO(u64 start, u64 size, int nid, const char *zone, int result,
		 u64 begin),

	TP_ARGS(start, size, nid, zone, result, begin),

	TP_STRUCT__entry(
		__field(u64, start)
		__field(u64, size)
		__field(int, nid)
		__string(zone, zone)
		__field(int, result)
		__field(u64, duration)
	),

	TP_fast_assign(
		__entry->start = start;
		__entry->size = size;
		__entry->nid = nid;
		__assign_str(zone);
		__entry->result = result;
		__entry->duration = ktime_get_ns() - begin;
	),

	TP_printk("range=%#llx-%#llx nid=%d zone=%s result=%d duration=%llu ns",
		  __entry->start, __entry->start + __entry->size - 1,
		  __entry->nid, __get_str(zone), __entry->result,
		  __entry->duration)
);

#define DEFINE_MHP_EVENT(name)						\
DEFINE_EVENT(mhp_operation, name,					\
	TP_PROTO(u64 start, u64 size, int nid, const char *zone,	\
		 int result, u64 begin),				\
	TP_ARGS(start, size, nid, zone, result, begin))

DEFINE_MHP_EVENT(mhp_add);
DEFINE_MHP_EVENT(mhp_online);
DEFINE_MHP_EVENT(mhp_offline);
DEFINE_MHP_EVENT(mhp_remove);
DEFINE_MHP_EVENT(mhp_device_add);
DEFINE_MHP_EVENT(mhp_device_remove);

#endif /* _TRACE_MEMORY_HOTPLUG_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
