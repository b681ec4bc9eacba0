select (select max(business_on) from feed
        where source = :source and state = 'complete' and business_on < :business_on) as complete_on,
       (select max(business_on) from feed_confirmation
        where source = :source and business_on <= :business_on) as confirmed_on
